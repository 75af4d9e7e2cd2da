using ClipSae.Tensors.Files;
using ClipSae.Tensors.Torch;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Tensors.Tests;

public sealed class NonFiniteValuesTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<torch.ScalarType, long> Types =>
        new(
            from type in new[] { torch.ScalarType.Float16, torch.ScalarType.BFloat16, torch.ScalarType.Float32, torch.ScalarType.Float64 }
            from size in new long[] { 9, 700_003, 3_000_000 }
            select (type, size)
        );

    // Beside the largest finite numbers of the type, which must not be counted.
    [Theory]
    [MemberData(nameof(Types))]
    public void NaN_and_infinity_are_counted_wherever_they_are(torch.ScalarType type, long size)
    {
        var tensor = torch.zeros([size], type);
        tensor[1] = type == torch.ScalarType.Float16 ? 65_504f : float.MaxValue / 2;
        tensor[2] = -1e-7f;
        long[] places = [0, 5, size / 2, size - 2, size - 1];
        float[] values = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, -float.NaN, float.NaN];
        foreach (var (place, value) in places.Distinct().Zip(values))
        {
            tensor[place] = value;
        }

        SafetensorsWriter.Write(_folder.File("x.safetensors"), [KeyValuePair.Create("a", tensor), KeyValuePair.Create("b", torch.ones(4))]);
        using var file = TensorFiles.Open(_folder.File("x.safetensors"));
        var (one, all) = (new NonFiniteValues(), new NonFiniteValues());
        file.Read("a", one);
        file.ReadAll(["b", "a"], all);

        one.Counts.ShouldBe(new Dictionary<string, long> { ["a"] = places.Distinct().Count() });
        all.Counts.ShouldBe(one.Counts);
    }

    [Fact]
    public void Only_what_belongs_to_a_view_of_a_PyTorch_file_is_counted()
    {
        StridedArchive.WriteZip(
            _folder.File("x.pt"),
            [1, float.NaN, 2, float.NaN, 3, float.PositiveInfinity],
            new StridedArchive.View("even", 0, [3], [2]),
            new StridedArchive.View("odd", 1, [3], [2]),
            new StridedArchive.View("all", 0, [6], [1])
        );
        using var file = TorchFile.Open(_folder.File("x.pt"));
        var found = new NonFiniteValues();
        ((ITensorFile)file).ReadAll(["even", "odd", "all"], found);

        found.Counts.ShouldBe(new Dictionary<string, long> { ["odd"] = 3, ["all"] = 3 }, ignoreOrder: true);
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }
}
