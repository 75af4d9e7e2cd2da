using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace ClipSae.Tensors.Tests;

public sealed class LargePagesTests
{
    public static TheoryData<long[], torch.ScalarType> Layouts =>
        new()
        {
            { [], torch.ScalarType.Float32 },
            { [0, 4096], torch.ScalarType.Float32 },
            { [3, 5], torch.ScalarType.BFloat16 },
            { [1024, 512], torch.ScalarType.Float32 },
            { [1023, 1031], torch.ScalarType.Float16 },
            { [3, 1 << 20], torch.ScalarType.Byte },
            { [7, 600_000], torch.ScalarType.Int64 },
        };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Every_element_of_fresh_memory_can_be_written_and_read(long[] shape, torch.ScalarType type)
    {
        using var scope = torch.NewDisposeScope();
        var tensor = LargePages.Empty(shape, type);
        var expected = torch.randint(0, 100, shape).to(type);
        tensor.copy_(expected);

        tensor.shape.ShouldBe(shape);
        tensor.dtype.ShouldBe(type);
        tensor.is_contiguous().ShouldBeTrue();
        tensor.eq(expected).all().item<bool>().ShouldBeTrue();
    }

    [Fact]
    public void A_large_tensor_begins_with_a_page()
    {
        using var tensor = LargePages.Empty([1 << 20], torch.ScalarType.Float32);

        Address(tensor).ShouldBe(Address(tensor) >> 21 << 21);
    }

    [Fact]
    public void Conversion_gives_the_same_numbers_as_torch_and_leaves_what_fits_as_it_is()
    {
        using var scope = torch.NewDisposeScope();
        var half = torch.randn(2048, 1024).to(torch.float16);

        LargePages.Convert(half, torch.ScalarType.Float32).eq(half.to(torch.float32)).all().item<bool>().ShouldBeTrue();
        LargePages.Convert(half.t(), torch.ScalarType.Float32).eq(half.t().to(torch.float32)).all().item<bool>().ShouldBeTrue();
        LargePages.Convert(half, torch.ScalarType.Float16).ShouldBeSameAs(half);
    }

    private static unsafe nint Address(torch.Tensor tensor) => (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));
}
