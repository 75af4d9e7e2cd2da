using System.Runtime.InteropServices;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Pipeline.Tests;

public class DeviceFaultTests
{
    [Theory]
    [InlineData("CUDA out of memory. Tried to allocate 20.00 MiB.")]
    [InlineData("CUDA error: out of memory")]
    [InlineData("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")]
    [InlineData("cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY")]
    [InlineData(
        "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: "
            + "you tried to allocate 400000000000 bytes. Error code 12 (Cannot allocate memory)"
    )]
    public void Short_memory_passes(string message)
    {
        DeviceFault.IsOutOfMemory(new ExternalException(message)).ShouldBeTrue();
        DeviceFault.IsLost(new ExternalException(message)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be asynchronously reported")]
    [InlineData("CUDA error: unspecified launch failure")]
    [InlineData("CUDA error: uncorrectable ECC error encountered")]
    [InlineData("CUDA error: device-side assert triggered")]
    [InlineData("CUDA error: CUDA-capable device(s) is/are busy or unavailable")]
    [InlineData("cuLaunchKernel of decode_rows: CUDA_ERROR_LAUNCH_FAILED")]
    public void Others_cost_the_card(string message)
    {
        var error = new InvalidOperationException("in a unit", new ExternalException(message));

        DeviceFault.IsLost(error).ShouldBeTrue();
        DeviceFault.IsOutOfMemory(error).ShouldBeFalse();
        DeviceFault.Line(error).ShouldBe(message.Split('\n')[0]);
    }

    [Theory]
    [InlineData("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)")]
    [InlineData("an unknown error of the disk")]
    [InlineData("CUDA error: invalid argument")]
    public void What_is_not_the_devices_fault_is_neither(string message)
    {
        DeviceFault.IsOutOfMemory(new ExternalException(message)).ShouldBeFalse();
        DeviceFault.IsLost(new ExternalException(message)).ShouldBeFalse();
    }
}
