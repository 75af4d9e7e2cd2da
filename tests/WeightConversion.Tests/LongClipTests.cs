using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Tensors;
using ClipSae.Tensors.Files;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

/// <summary>A Long-CLIP whose two positional embeddings differ everywhere, as after fine-tuning, into every format.</summary>
public sealed class LongClipTests : IDisposable
{
    private const int Context = 248;
    private const int KeptRows = 20;

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly torch.Tensor _kept = Positions(1);
    private readonly torch.Tensor _stretched = Positions(2);

    // The last probe text fills all 248 tokens, so every row of the positions is proved.
    [Fact]
    public void Every_format_keeps_the_features()
    {
        var source = Source();
        var options = new ConversionOptions
        {
            Formats = [.. ConversionTarget.All.Where(target => !target.NeedsBase).Select(target => target.Name)],
        };

        var conversion = Conversion.Run(source, _folder.File("out"), options, ClipTokenizer.FromMerges([]));

        conversion.Proofs.Count.ShouldBe(9);
        conversion.Proofs.Values.ShouldAllBe(proof => proof.Holds && proof.Text.MaxRelative < 1e-4);
    }

    // Expected by the rule of science, section 1, not by the code that merges.
    [Theory]
    [InlineData("openai", "openai.safetensors", "positional_embedding")]
    [InlineData("open-clip", "open_clip/open_clip_model.safetensors", "positional_embedding")]
    [InlineData("huggingface", "huggingface/model.safetensors", "text_model.embeddings.position_embedding.weight")]
    [InlineData("text-encoder", "text_encoder.safetensors", "text_model.embeddings.position_embedding.weight")]
    public void Formats_with_one_embedding_take_rows_below_20_of_the_first_and_the_others_of_the_second(
        string format,
        string path,
        string key
    )
    {
        WeightConverter.Convert(Source(), _folder.Path, [ConversionTarget.Named(format)], Precision.Float32, ClipTokenizer.FromMerges([]));

        using var file = TensorFiles.Open(_folder.File(path));
        file.Entries.Keys.ShouldNotContain(name =>
            name.EndsWith("_res", StringComparison.Ordinal) || name.Contains("_res.", StringComparison.Ordinal)
        );
        var written = file.Read(key);
        written[..KeptRows].Equals(_kept[..KeptRows]).ShouldBeTrue();
        written[KeptRows..].Equals(_stretched[KeptRows..]).ShouldBeTrue();
    }

    [Theory]
    [InlineData("long-clip", "longclip.pt")]
    [InlineData("gmp", "gmp.safetensors")]
    public void Formats_with_both_embeddings_keep_both_as_trained(string format, string path)
    {
        WeightConverter.Convert(Source(), _folder.Path, [ConversionTarget.Named(format)], Precision.Float32);

        using var file = TensorFiles.Open(_folder.File(path));
        file.Read(ClipKeys.Positions).Equals(_kept).ShouldBeTrue();
        file.Read(ClipKeys.StretchedPositions).Equals(_stretched).ShouldBeTrue();
    }

    [Fact]
    public void Stretching_a_model_of_77_tokens_gives_both_embeddings_alike()
    {
        ContextStretching.Write(new ConversionSource(ReferenceFiles.Model, "tiny"), _folder.File("long.safetensors"));

        using var file = SafetensorsFile.Open(_folder.File("long.safetensors"));
        file.Read(ClipKeys.Positions).shape.ShouldBe([248, 64]);
        file.Read(ClipKeys.StretchedPositions).Equals(file.Read(ClipKeys.Positions)).ShouldBeTrue();
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private static torch.Tensor Positions(ulong seed) => torch.randn([Context, 64], generator: new torch.Generator(seed));

    private ConversionSource Source()
    {
        using var model = ClipModel.Initialize(new ClipArchitecture(16, 16, 2, 64, 8, Context, 514, 64, 2), seed: 1);
        var weights = model.StateDict().ToDictionary(weight => weight.Key, weight => weight.Value);
        (weights[ClipKeys.Positions], weights[ClipKeys.StretchedPositions]) = (_kept, _stretched);
        SafetensorsWriter.Write(_folder.File("source.safetensors"), weights);
        return new ConversionSource(_folder.File("source.safetensors"), "long");
    }
}
