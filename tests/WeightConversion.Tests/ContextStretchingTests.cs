using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

public sealed class ContextStretchingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly IDisposable _noGrad = torch.no_grad();

    // Row 20 + 4i + k lies k quarters of the way from old row 20 + i to the next, also behind the last: a ramp stays a ramp.
    [Fact]
    public void A_ramp_of_77_rows_becomes_a_ramp_of_248_from_row_20_on()
    {
        var stretched = ContextStretching.Stretch(torch.arange(77, dtype: torch.float32).unsqueeze(1));

        var rows = stretched.data<float>().ToArray();
        rows.Length.ShouldBe(248);
        rows[..20].ShouldBe(Enumerable.Range(0, 20).Select(row => (float)row));
        rows[20..].ShouldBe(Enumerable.Range(0, 228).Select(row => 20 + (row / 4f)));
    }

    [Fact]
    public void Between_two_rows_it_is_their_weighted_mean()
    {
        var positions = torch.randn([77, 3], generator: new torch.Generator(1));

        var stretched = ContextStretching.Stretch(positions);

        stretched[20 + (4 * 5) + 3].allclose((positions[25] + (3 * positions[26])) / 4, atol: 1e-6).ShouldBeTrue();
        stretched[247].allclose(positions[76] + ((positions[76] - positions[75]) * 0.75), atol: 1e-6).ShouldBeTrue();
    }

    [Fact]
    public void Texts_of_up_to_20_tokens_keep_their_features_and_Long_CLIP_reads_the_result_back()
    {
        ContextStretching.Write(new ConversionSource(ReferenceFiles.Model, "tiny"), _folder.File("long.safetensors")).ShouldBe(248);
        new LongClipTarget().Write(Material(_folder.File("long.safetensors"), out var open), _folder.Path);
        open.Dispose();
        using var original = ClipModel.Load(ReferenceFiles.Model);
        using var longer = ClipModel.Load(_folder.File("longclip.pt"));

        longer.Architecture.ContextLength.ShouldBe(248);
        longer.EncodeText(Tokens(20, 248)).allclose(original.EncodeText(Tokens(20, 77)), atol: 1e-5).ShouldBeTrue();
        longer.EncodeText(Tokens(40, 248)).allclose(original.EncodeText(Tokens(40, 77)), atol: 1e-5).ShouldBeFalse();
        longer.EncodeText(Tokens(200, 248)).isfinite().all().item<bool>().ShouldBeTrue();
    }

    [Fact]
    public void A_long_context_is_not_stretched_again()
    {
        ContextStretching.Write(new ConversionSource(ReferenceFiles.Model, "tiny"), _folder.File("long.safetensors"));

        Should
            .Throw<UserErrorException>(() =>
                ContextStretching.Write(new ConversionSource(_folder.File("long.safetensors"), "long"), _folder.File("x"))
            )
            .Message.ShouldContain("248 tokens");
    }

    public void Dispose()
    {
        _noGrad.Dispose();
        _scope.Dispose();
        _folder.Dispose();
    }

    private static ConversionMaterial Material(string path, out ClipCheckpoint checkpoint)
    {
        checkpoint = ClipCheckpoint.Open(path);
        return new ConversionMaterial(new PlainWeights(checkpoint), Precision.Float32, null);
    }

    // Start, words, and the end of the text as the last token used.
    private static torch.Tensor Tokens(int used, int context)
    {
        var tokens = torch.zeros([1, context], dtype: torch.int64);
        for (var place = 0; place < used; place++)
        {
            tokens[0, place] =
                place == 0 ? 298
                : place == used - 1 ? 299
                : 5 + (place % 200);
        }

        return tokens;
    }
}
