using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Tensors.Tests;

public sealed class SafetensorsRowWriterTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private string FilePath => _folder.File("rows.safetensors");

    [Fact]
    public void Rows_come_back_in_the_stored_type_beside_the_other_tensors()
    {
        var rows = torch.arange(12, dtype: torch.float32).view(4, 3);
        using (
            var writer = new SafetensorsRowWriter(
                FilePath,
                "activations",
                torch.bfloat16,
                [3],
                new Dictionary<string, string> { ["hook"] = "mlp@0 \"ü\"" }
            )
        )
        {
            writer.Append(rows.narrow(0, 0, 1));
            writer.Append(rows.narrow(0, 1, 3));
            writer.Rows.ShouldBe(4);
            writer.Complete(new Dictionary<string, torch.Tensor> { ["image_index"] = torch.arange(4, dtype: torch.int32) });
        }

        using var file = SafetensorsFile.Open(FilePath);
        file.Read("activations").dtype.ShouldBe(torch.bfloat16);
        file.Read("activations").to(torch.float32).Equals(rows).ShouldBeTrue();
        file.Read("image_index").data<int>().ToArray().ShouldBe([0, 1, 2, 3]);
        file.Metadata["hook"].ShouldBe("mlp@0 \"ü\"");
    }

    [Fact]
    public void Unfinished_file_leaves_nothing()
    {
        using (var writer = new SafetensorsRowWriter(FilePath, "x", torch.float32, [3]))
        {
            writer.Append(torch.ones(2, 3));
        }

        Directory.GetFiles(_folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public void Row_of_another_width_is_refused()
    {
        using var writer = new SafetensorsRowWriter(FilePath, "x", torch.float32, [3]);
        Should.Throw<ArgumentException>(() => writer.Append(torch.ones(2, 4))).Message.ShouldContain("'x'");
    }

    [Fact]
    public void No_rows_are_a_file_too()
    {
        using (var writer = new SafetensorsRowWriter(FilePath, "x", torch.float32, [3]))
        {
            writer.Complete();
        }

        using var file = SafetensorsFile.Open(FilePath);
        file.Read("x").shape.ShouldBe([0, 3]);
    }
}
