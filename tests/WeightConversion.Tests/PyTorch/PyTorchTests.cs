using System.Diagnostics;
using System.Text.Json;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Imaging.Decoding;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests.PyTorch;

/// <summary>
/// PyTorch and transformers themselves against our files and theirs against us, by the script beside this file. They are no part of the
/// build: the environment variable <c>CLIPSAE_PYTORCH</c> names a Python that has torch, transformers, safetensors and Pillow; without it
/// these tests are skipped, and say so.
/// </summary>
public sealed class PyTorchTests : IDisposable
{
    private const string Variable = "CLIPSAE_PYTORCH";

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private SafetensorsFile? _file;

    [Fact]
    public void What_PyTorch_and_transformers_write_gives_their_features_here()
    {
        Python("write");

        var expected = Open("expected.safetensors");
        foreach (
            var (name, prefix, tolerance) in new[]
            {
                ("zip.pt", "", 1e-5),
                ("legacy.pt", "", 1e-5),
                ("module.pt", "", 1e-5),
                ("module.legacy.pt", "", 1e-5),
                ("training.pt", "", 1e-5),
                ("traced.pt", "", 1e-5),
                ("scripted.pt", "", 1e-5),
                ("torch.safetensors", "", 1e-5),
                ("half.pt", "", 1e-2),
                ("bfloat16.pt", "", 5e-2),
                ("transformers", "transformers.", 1e-5),
                ("sharded", "transformers.", 1e-5),
            }
        )
        {
            using var model = ClipModel.Load(_folder.File(name));
            using var inference = torch.no_grad();
            Difference(model.EncodeImage(expected.Read("images")), expected.Read(prefix + "image"))
                .ShouldBeLessThan(tolerance, $"{name}, images");
            Difference(model.EncodeText(expected.Read("tokens")), expected.Read(prefix + "text"))
                .ShouldBeLessThan(tolerance, $"{name}, texts");
        }
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.Float16)]
    [InlineData(Precision.Bfloat16)]
    public void What_we_write_gives_our_features_tokens_and_pixels_there(Precision dtype)
    {
        const int Resolution = 64;
        var tokenizer = ClipTokenizer.Load(ReferenceFiles.Vocabulary);
        using (
            var random = ClipModel.Initialize(new ClipArchitecture(64, Resolution, 2, 128, 8, 77, tokenizer.VocabularySize, 64, 2), seed: 1)
        )
        {
            random.Save(_folder.File("source.safetensors"));
        }

        ConversionTarget[] targets =
        [
            new OpenAiTarget(),
            new OpenAiTorchTarget(),
            new HuggingFaceTarget(),
            new OpenClipTarget(),
            new TextEncoderTarget(),
        ];
        WeightConverter.Convert(
            new ConversionSource(_folder.File("source.safetensors"), "random"),
            _folder.Path,
            targets,
            dtype,
            tokenizer
        );
        string[] texts =
        [
            "a photo of a cat",
            "A STOP sign,  it's 42 % off!",
            "Zürich: naïve café 東京 🐈",
            "",
            string.Concat(Enumerable.Repeat("many words ", 60)),
        ];
        long[][] tokens = [.. texts.Select(text => tokenizer.Encode(text, 77, out _))];
        var picture = Path.Combine(AppContext.BaseDirectory, "Reference", "landscape.png");
        File.WriteAllText(_folder.File("texts.json"), JsonSerializer.Serialize(texts));
        File.Copy(picture, _folder.File("picture.png"));
        var given = new Dictionary<string, torch.Tensor>
        {
            ["images"] = torch.randn(2, 3, Resolution, Resolution),
            ["tokens"] = torch.tensor(tokens.SelectMany(row => row).ToArray()).view(tokens.Length, 77),
        };
        SafetensorsWriter.Write(_folder.File("inputs.safetensors"), given);

        Python("read");

        var answers = Open("answers.safetensors");
        using var model = ClipModel.Load(_folder.File(OpenAiTarget.FileName));
        using var inference = torch.no_grad();
        var (image, text) = (model.EncodeImage(given["images"]), model.EncodeText(given["tokens"]));
        foreach (var format in new[] { "openai.pt", "openai.safetensors", "open_clip", "huggingface" })
        {
            Difference(answers.Read(format + ".image"), image).ShouldBeLessThan(1e-4, format);
            Difference(answers.Read(format + ".text"), text).ShouldBeLessThan(1e-4, format);
        }

        Difference(answers.Read("text_encoder.text"), text).ShouldBeLessThan(1e-4);
        // transformers pads with the end of text, OpenAI and we with 0; what follows the first end is masked.
        answers.Read("processor.tokens").data<long>().ToArray().Chunk(77).Select(UpToEnd).ShouldBe(tokens.Select(UpToEnd));
        var pixels = PixelNormalization.OpenAi.Apply(
            PixelLoader.Stack([ImageDecoder.Decode(File.ReadAllBytes(picture))], ImagePreparation.OpenAi(Resolution))
        );
        // Of 255 levels torchvision's resizing, which transformers takes, is at most one away from Pillow's.
        (answers.Read("processor.pixels") - pixels).abs().max().item<float>().ShouldBeLessThan(1.01f / 255 / 0.2613f);

        long[] UpToEnd(long[] row) => row[..(Array.IndexOf(row, tokenizer.EndOfText) + 1)];
    }

    public void Dispose()
    {
        _scope.Dispose();
        _file?.Dispose();
        _folder.Dispose();
    }

    private static double Difference(torch.Tensor actual, torch.Tensor expected) =>
        ((actual - expected).abs().max() / expected.abs().max()).item<float>();

    private SafetensorsFile Open(string name) => _file = SafetensorsFile.Open(_folder.File(name));

    private void Python(string task)
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } python)
        {
            Assert.Skip($"PyTorch is asked only where {Variable} names a Python that has torch and transformers");
            return;
        }

        var start = new ProcessStartInfo(python, [Path.Combine(AppContext.BaseDirectory, "pytorch.py"), task, _folder.Path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, error.GetAwaiter().GetResult());
    }
}
