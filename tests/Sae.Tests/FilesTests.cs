using System.Text.Json.Nodes;
using ClipSae.Sae.Encoding;
using ClipSae.Sae.Formats;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using static TorchSharp.torch;

namespace ClipSae.Sae.Tests;

public sealed class FilesTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("topk")]
    [InlineData("topk-tied")]
    [InlineData("batch-topk")]
    public void The_layout_of_SAELens_says_the_same_by_its_own_formula(string variant)
    {
        var sae = Autoencoder(variant);
        SaeLensFormat.Save(sae, _folder.Path, "sha256:abc", "mlp@0");
        var config = JsonNode.Parse(File.ReadAllText(_folder.File("cfg.json")))!;
        using var file = SafetensorsFile.Open(_folder.File("sae_weights.safetensors"));

        // What SAELens' TopKSAE and JumpReLUSAE compute with apply_b_dec_to_input and no run-time normalisation.
        using var generator = new Generator(5, CPU);
        var x = randn(50, 6, generator: generator);
        var pre = (x - file.Read("b_dec")).matmul(file.Read("W_enc")) + file.Read("b_enc");
        var (values, indices) = pre.topk(3, -1);
        var latents =
            variant == "batch-topk" ? pre.relu() * (pre > file.Read("threshold")) : zeros_like(pre).scatter(-1, indices, values.relu());
        var expected = latents.matmul(file.Read("W_dec")) + file.Read("b_dec");

        Difference(sae.Reconstruct(x), expected).ShouldBeLessThan(1e-5);
        config["architecture"]!.GetValue<string>().ShouldBe(variant == "batch-topk" ? "jumprelu" : "topk");
        config["normalize_activations"]!.GetValue<string>().ShouldBe("none");
        config["metadata"]!["input_scale"]!.GetValue<double>().ShouldBe(0.5);
        file.Read("W_enc").shape.ShouldBe([6, 10]);
        Difference(SaeLensFormat.Load(_folder.Path).Reconstruct(x), sae.Reconstruct(x)).ShouldBeLessThan(1e-6);
    }

    [Fact]
    public void An_autoencoder_that_normalises_at_run_time_is_refused()
    {
        SaeLensFormat.Save(Autoencoder("topk"), _folder.Path, "clip", "mlp@0");
        var path = _folder.File("cfg.json");
        File.WriteAllText(
            path,
            File.ReadAllText(path)
                .Replace("\"normalize_activations\":\"none\"", "\"normalize_activations\":\"layer_norm\"", StringComparison.Ordinal)
        );

        Should.Throw<UserErrorException>(() => SaeLensFormat.Load(_folder.Path)).Message.ShouldContain("layer_norm");
    }

    [Fact]
    public void A_file_that_is_no_autoencoder_is_refused_by_name()
    {
        var path = _folder.File("x.safetensors");
        SafetensorsWriter.Write(path, new Dictionary<string, Tensor> { ["encoder"] = zeros(2, 2) });

        Should.Throw<UserErrorException>(() => SaeFile.Load(path)).Message.ShouldContain(path);
    }

    [Fact]
    public void Shards_read_as_one()
    {
        var all = randn(23, 4);
        var paths = new List<string>();
        // The second shard is empty, the third in bfloat16.
        foreach (var (start, count, type) in new[] { (0, 7, float32), (7, 0, float32), (7, 10, bfloat16), (17, 6, float32) })
        {
            paths.Add(_folder.File($"{paths.Count}.safetensors"));
            SafetensorsWriter.Write(paths[^1], new Dictionary<string, Tensor> { ["activations"] = all.narrow(0, start, count).to(type) });
        }

        all.narrow(0, 7, 10).copy_(all.narrow(0, 7, 10).to(bfloat16));
        using var rows = ShardRows.Open(paths);

        rows.Rows.ShouldBe(23);
        Difference(rows.Read([22, 7, 0, 16, 6, 17]), all.index_select(0, tensor(new long[] { 22, 7, 0, 16, 6, 17 }))).ShouldBe(0);
        Difference(rows.ReadRange(5, 15), all.narrow(0, 5, 15)).ShouldBe(0);
        Difference(new ChosenRows(rows, [3, 20, 9]).Read([2, 0]), all.index_select(0, tensor(new long[] { 9, 3 }))).ShouldBe(0);
    }

    [Fact]
    public void Shards_of_different_width_are_refused()
    {
        var paths = new[] { 3, 4 }.Select(width => (Path: _folder.File($"{width}.safetensors"), Tensor: zeros(2, width))).ToArray();
        foreach (var (path, content) in paths)
        {
            SafetensorsWriter.Write(path, new Dictionary<string, Tensor> { ["activations"] = content });
        }

        Should.Throw<UserErrorException>(() => ShardRows.Open([paths[0].Path, paths[1].Path])).Message.ShouldContain("4 wide");
    }

    private static SparseAutoencoder Autoencoder(string variant)
    {
        using var generator = new Generator(3, CPU);
        var decoder = nn.functional.normalize(randn(10, 6, generator: generator), 2, 1);
        var parsed = SaeVariant.Parse(variant, 3)!;
        var encoder = parsed.Tied ? decoder : decoder * 1.3;
        var threshold = parsed is SaeVariant.BatchTopK ? full(10, 0.4f) : null;
        return new SparseAutoencoder(
            parsed,
            encoder,
            decoder,
            randn(10, generator: generator) * 0.1,
            randn(6, generator: generator),
            0.5,
            threshold
        );
    }

    private static double Difference(Tensor a, Tensor b) => (a - b).abs().max().item<float>();
}
