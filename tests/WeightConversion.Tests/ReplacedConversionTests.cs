using ClipSae.Clip.Model;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

/// <summary>
/// A conversion into a folder replaces what is there when it is proved, all formats together, or leaves everything as it was.
/// </summary>
public sealed class ReplacedConversionTests : IDisposable
{
    private const string Layer = "visual.transformer.resblocks.0.mlp.c_fc.weight";

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(Precision.Float16, 7e4f, "--dtype bfloat16 or float32")]
    [InlineData(Precision.Bfloat16, 3.4e38f, "--dtype float32")]
    public void Values_beyond_the_precision_are_named_and_what_was_there_stays(Precision dtype, float value, string remedy)
    {
        var source = Source(value);
        Before();
        var before = Files();

        var error = Should.Throw<UserErrorException>(() =>
            Conversion.Replace(source, _folder.File("out"), new ConversionOptions { Formats = ["openai-pt", "open-clip"], Dtype = dtype })
        );

        error.Message.ShouldContain($"'{Layer}'");
        error.Message.ShouldContain(remedy);
        Files().ShouldBe(before);
    }

    // Rounded to 11 bits, and allowed less than that.
    [Fact]
    public void A_proof_that_fails_moves_none_of_the_formats_and_says_what_to_do()
    {
        Before();
        var before = Files();

        var options = new ConversionOptions
        {
            Formats = ["openai", "open-clip"],
            Dtype = Precision.Float16,
            Tolerance = 1e-7,
        };
        var error = Should.Throw<UserErrorException>(() => Conversion.Replace(Source(0.5f), _folder.File("out"), options));

        error.Message.ShouldContain("--dtype bfloat16 or float32, or allow more with --tolerance");
        Files().ShouldBe(before);
    }

    [Fact]
    public void A_format_that_does_not_fit_keeps_those_before_it_back()
    {
        Before();
        var before = Files();

        Should
            .Throw<UserErrorException>(() =>
                Conversion.Replace(Source(0.5f), _folder.File("out"), new ConversionOptions { Formats = ["openai", "long-clip"] })
            )
            .Message.ShouldContain("stretch");

        Files().ShouldBe(before);
    }

    [Fact]
    public void A_folder_in_the_place_of_a_file_is_named_before_anything_is_moved()
    {
        Before();
        Directory.CreateDirectory(_folder.File("out", "openai.pt"));
        var before = Files();

        Should
            .Throw<UserErrorException>(() =>
                Conversion.Replace(Source(0.5f), _folder.File("out"), new ConversionOptions { Formats = ["openai", "openai-pt"] })
            )
            .Message.ShouldContain("openai.pt");

        Files().ShouldBe(before);
    }

    [Fact]
    public void A_proved_conversion_takes_the_place_of_the_one_before_and_leaves_nothing_beside()
    {
        Before();

        var conversion = Conversion.Replace(Source(0.5f), _folder.File("out"), new ConversionOptions { Formats = ["openai", "open-clip"] });

        Files()
            .Keys.ShouldBe(
                [
                    "README.md",
                    "mine.txt",
                    "open_clip/open_clip_config.json",
                    "open_clip/open_clip_model.safetensors",
                    "openai.safetensors",
                    "provenance.json",
                ],
                ignoreOrder: true
            );
        Artifacts.Digest.OfFile(_folder.File("out", "openai.safetensors")).ShouldBe(conversion.Files["openai.safetensors"]);
        File.ReadAllText(_folder.File("out", "mine.txt")).ShouldBe("mine");
        using var model = ClipModel.Load(_folder.File("out", "open_clip"));
    }

    [Theory]
    [InlineData("gmp")]
    [InlineData("onnx")]
    public void A_precision_that_a_format_does_not_hold_is_refused(string format)
    {
        new ConversionOptions { Formats = ["openai", format] }.Validate();

        Should
            .Throw<UserErrorException>(() => new ConversionOptions { Formats = ["openai", format], Dtype = Precision.Float16 }.Validate())
            .Message.ShouldContain($"{format}, which supports float32 only");
    }

    // 0 / 0: finite numbers in the file, and none in the weight.
    [Fact]
    public void A_row_of_zeros_in_theta_is_named()
    {
        ChangedCheckpoint.Write(ReferenceFiles.GeometricModel, _folder.File("zero.safetensors"), tensors =>
            tensors["visual.transformer.resblocks.1.mlp.c_fc.theta"][0] = torch.zeros(128)
        );

        Should
            .Throw<UserErrorException>(() =>
                Conversion.Replace(
                    new ConversionSource(_folder.File("zero.safetensors"), "zero"),
                    _folder.File("out"),
                    new ConversionOptions()
                )
            )
            .Message.ShouldContain("row of zeros in theta");
    }

    public void Dispose() => _folder.Dispose();

    private ConversionSource Source(float value)
    {
        ChangedCheckpoint.Write(ReferenceFiles.Model, _folder.File("source.safetensors"), tensors => tensors[Layer][0, 0] = value);
        return new ConversionSource(_folder.File("source.safetensors"), "source.safetensors");
    }

    private void Before()
    {
        Directory.CreateDirectory(_folder.File("out"));
        foreach (var name in new[] { "openai.safetensors", Conversion.CardName, Conversion.ProvenanceName, "mine.txt" })
        {
            File.WriteAllText(_folder.File("out", name), "mine");
        }
    }

    private Dictionary<string, string> Files() =>
        Directory
            .EnumerateFiles(_folder.File("out"), "*", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetRelativePath(_folder.File("out"), file), Artifacts.Digest.OfFile);
}
