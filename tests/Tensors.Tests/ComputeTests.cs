using TorchSharp;

namespace ClipSae.Tensors.Tests;

public class ComputeTests
{
    [Fact]
    public void Cpu_is_always_there() => Compute.Device("cpu").type.ShouldBe(DeviceType.CPU);

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:x")]
    [InlineData("cuda:1:2")]
    [InlineData("cuda:4711")]
    public void Unknown_or_absent_device_is_a_clear_line(string name) =>
        Should.Throw<UserErrorException>(() => Compute.Device(name)).Message.ShouldContain($"'{name}'");

    [Fact]
    public void Thread_count_is_checked() => Should.Throw<UserErrorException>(() => Compute.UseThreads(0));

    [Fact]
    public void Resident_set_counts_native_tensors()
    {
        var before = Compute.ResidentBytes;
        using var tensor = torch.ones(64 << 20, dtype: torch.int8);
        (Compute.ResidentBytes - before).ShouldBeGreaterThan(48 << 20);
    }
}
