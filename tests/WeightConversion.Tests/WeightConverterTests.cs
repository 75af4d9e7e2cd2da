using ClipSae.Clip.Model;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

public sealed class WeightConverterTests : IDisposable
{
    private const string Layer = "visual.transformer.resblocks.1.mlp.c_fc";
    private readonly TemporaryFolder _folder = new();

    // The expected features are those of the original PyTorch code for the model with r and theta.
    [Fact]
    public void Plain_weights_give_the_features_that_the_original_code_gives_for_the_geometric_ones()
    {
        var path = Convert(ReferenceFiles.GeometricModel, Precision.Float32);

        using var model = ClipModel.Load(path);
        model.IsGeometric.ShouldBeFalse();
        using var inference = torch.inference_mode();
        var image = model.EncodeImage(ReferenceFiles.Read(ReferenceFiles.Expected, "image"));
        var text = model.EncodeText(ReferenceFiles.Read(ReferenceFiles.Expected, "text_tokens"));
        RelativeError(image, ReferenceFiles.Read(ReferenceFiles.GeometricExpected, "image_features")).ShouldBeLessThan(1e-5);
        RelativeError(text, ReferenceFiles.Read(ReferenceFiles.GeometricExpected, "text_features")).ShouldBeLessThan(1e-5);
    }

    [Fact]
    public void Equal_sources_give_equal_bytes() =>
        File.ReadAllBytes(Convert(ReferenceFiles.GeometricModel, Precision.Float32, "a"))
            .ShouldBe(File.ReadAllBytes(Convert(ReferenceFiles.GeometricModel, Precision.Float32, "b")));

    [Fact]
    public void A_plain_source_passes_through_unchanged()
    {
        using var source = SafetensorsFile.Open(ReferenceFiles.Model);
        using var written = SafetensorsFile.Open(Convert(ReferenceFiles.Model, Precision.Float32));

        written.Entries.Keys.ShouldBe(source.Entries.Keys, ignoreOrder: true);
        foreach (var key in source.Entries.Keys)
        {
            source.Read(key).to(torch.float32).equal(written.Read(key)).all().item<bool>().ShouldBeTrue(key);
        }
    }

    // OpenAI's convert_weights: LayerNorm, embeddings and the scale stay in 32 bits.
    [Fact]
    public void Half_precision_keeps_norms_and_embeddings_in_full()
    {
        using var written = SafetensorsFile.Open(Convert(ReferenceFiles.GeometricModel, Precision.Float16));

        var full = written.Entries.Values.Where(entry => entry.Dtype == "F32").Select(entry => entry.Name).ToArray();
        full.ShouldAllBe(key =>
            key.Contains("ln_", StringComparison.Ordinal) || key.Contains("embedding", StringComparison.Ordinal) || key == "logit_scale"
        );
        written.Entries[Layer + ".weight"].Dtype.ShouldBe("F16");
        written.Entries["visual.proj"].Dtype.ShouldBe("F16");
        written.Entries["visual.class_embedding"].Dtype.ShouldBe("F32");
    }

    [Fact]
    public void Streaming_writes_the_file_that_writing_at_once_gives()
    {
        var path = Convert(ReferenceFiles.GeometricModel, Precision.Float32);
        using var scope = torch.NewDisposeScope();
        using var file = SafetensorsFile.Open(path);
        SafetensorsWriter.Write(
            _folder.File("whole"),
            file.Entries.Keys.Select(key => KeyValuePair.Create(key, file.Read(key))),
            file.Metadata
        );

        File.ReadAllBytes(_folder.File("whole")).ShouldBe(File.ReadAllBytes(path));
    }

    [Theory]
    [InlineData("theta without r", Layer + ".r")]
    [InlineData("r without theta", Layer + ".theta")]
    [InlineData("weight beside theta", Layer + ".weight")]
    [InlineData("wrong shape", Layer + ".r")]
    [InlineData("missing", "visual.proj")]
    [InlineData("left over", "visual.extra.weight")]
    public void A_checkpoint_that_does_not_fit_is_refused_by_the_name_of_its_key(string defect, string key)
    {
        ChangedCheckpoint.Write(ReferenceFiles.GeometricModel, _folder.File("defect.safetensors"), tensors =>
        {
            switch (defect)
            {
                case "theta without r":
                    tensors.Remove(Layer + ".r");
                    break;
                case "r without theta":
                    tensors.Remove(Layer + ".theta");
                    break;
                case "weight beside theta":
                    tensors[Layer + ".weight"] = tensors[Layer + ".theta"];
                    break;
                case "wrong shape":
                    tensors[Layer + ".r"] = torch.ones(3, 1);
                    break;
                case "missing":
                    tensors.Remove("visual.proj");
                    break;
                default:
                    tensors["visual.extra.weight"] = torch.ones(1);
                    break;
            }
        });

        var error = Should.Throw<UserErrorException>(() => Convert(_folder.File("defect.safetensors"), Precision.Float32));
        error.Message.ShouldContain($"'{key}'");
        error.Message.ShouldContain("tuned.safetensors");
        Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).ShouldBe([_folder.File("defect.safetensors")]);
    }

    public void Dispose() => _folder.Dispose();

    private static double RelativeError(torch.Tensor actual, torch.Tensor expected) =>
        ((actual - expected).abs().max() / expected.abs().max()).item<float>();

    private string Convert(string source, Precision dtype, string name = "plain")
    {
        Directory.CreateDirectory(_folder.File(name));
        WeightConverter.Convert(new ConversionSource(source, "tuned.safetensors"), _folder.File(name), [new OpenAiTarget()], dtype);
        return _folder.File(name, OpenAiTarget.FileName);
    }
}
