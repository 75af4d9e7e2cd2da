using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Demo;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Tensors;
using Spectre.Console;
using static TorchSharp.torch;

namespace ClipSae.Cli.Verbs;

/// <summary>Embeds images and texts, and compares the ones with the others.</summary>
internal sealed class EmbedVerb : Verb
{
    private readonly Argument<string[]> _images = new("image") { Description = "Image files", Arity = ArgumentArity.ZeroOrMore };
    private readonly ValueOption<string[]> _texts = new("--text", "TEXT", "A text to embed; may be given several times");
    private readonly ValueOption<string?> _model = new(
        "--model",
        "PATH",
        "CLIP checkpoint: safetensors, PyTorch file, a model folder, or a run's name [default: the demo's]"
    );
    private readonly ValueOption<string?> _tokenizer = new(
        "--tokenizer",
        "FILE",
        "Its vocabulary in CLIP's format [default: next to the checkpoint]"
    );
    private readonly ValueOption<string?> _out = new(
        "--out",
        "FILE",
        "Write the embeddings to this safetensors file instead of showing them"
    );
    private readonly Option<bool> _raw = new("--raw") { Description = "Leave embeddings as the model gives them, without unit length" };

    public EmbedVerb()
        : base(
            "embed",
            "Embed images and texts; with both, show which text each image matches.",
            "clipsae embed cat.png --text \"a photo of a cat\" --text \"a photo of a dog\"",
            "clipsae embed photos/1.jpg photos/2.jpg --model tuned.safetensors --out embeddings.safetensors",
            "clipsae embed --text \"a photo of a tree\" --json"
        )
    {
        Add(_images, _texts, _model, _tokenizer, _out, _raw);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var images = arguments.GetValue(_images)!.Select(path => GivenPath.File("image", path)!).ToArray();
        var texts = arguments.GetValue(_texts)!;
        WrongUseException.ThrowIf(images.Length + texts.Length == 0, "name image files, or texts with --text; see 'clipsae embed --help'");

        var given = arguments.GetValue(_model) is { } path ? await GivenModel.PathAsync("--model", path, session, cancel) : null;
        var checkpoint = given ?? DemoFiles.Model;
        var vocabulary =
            texts.Length == 0
                ? null
                : GivenPath.File("--tokenizer", arguments.GetValue(_tokenizer))
                    ?? (given is null ? DemoFiles.Tokenizer : ClipTokenizer.FileBeside(given));
        var file = GivenPath.NewFile("--out", arguments.GetValue(_out));
        Embed(new Asked(checkpoint, vocabulary, images, texts, file, arguments.GetValue(_raw)), session, cancel);
        return ExitCode.Done;
    }

    private static void Embed(Asked asked, Session session, CancellationToken cancel)
    {
        var (checkpoint, vocabulary, images, texts, file, raw) = asked;
        using var scope = NewDisposeScope();
        using var quiet = inference_mode();
        using var model = ClipModel.Load(checkpoint, session.UseDevice());
        var imageFeatures = images.Length == 0 ? null : EncodeImages(model, images, ImageOrder.ConvertsFirst(checkpoint), cancel);
        var textFeatures = texts.Length == 0 ? null : EncodeTexts(model, texts, vocabulary!, session);
        RequireNumbers(checkpoint, (imageFeatures, images), (textFeatures, texts));
        var answer = new JsonObject { ["model"] = checkpoint, ["width"] = model.Architecture.EmbedDim };
        if (file is not null)
        {
            Save(file, raw, (imageFeatures, images, "images"), (textFeatures, texts, "texts"));
            answer["file"] = file;
        }
        else
        {
            answer["images"] = Rows(imageFeatures, images, "path", raw);
            answer["texts"] = Rows(textFeatures, texts, "text", raw);
        }

        var matches =
            imageFeatures is null || textFeatures is null
                ? null
                : Matches(model, Unit(imageFeatures).matmul(Unit(textFeatures).T)).cpu().data<float>().ToArray();
        answer["probabilities"] = matches is null ? null : Matrix(matches, images.Length, texts.Length);
        session.Answer(answer, console => Write(console, answer, matches, images, texts));
    }

    // Among the texts given, or of each pair by itself: what the model's loss makes of its scores.
    private static Tensor Matches(ClipModel model, Tensor cosines) =>
        model.LogitBias is { } bias
            ? (model.LogitScale.exp() * cosines).Plus(bias).sigmoid()
            : (model.LogitScale.exp() * cosines).softmax(-1);

    private static Tensor EncodeImages(ClipModel model, string[] images, bool convertsFirst, CancellationToken cancel)
    {
        var side = model.Architecture.ImageResolution;
        var device = model.LogitScale.device;
        return cat([
            .. images.Select(path =>
            {
                cancel.ThrowIfCancellationRequested();
                UserErrorException.ThrowIf(
                    !ImageDecoder.TryRead(File.ReadAllBytes(path), DecodeLimits.Default, out var picture, out var problem),
                    $"{path} cannot be read as an image: {problem}"
                );

                var pixels = new float[3 * side * side];
                Preprocessor.Preprocess(convertsFirst ? DecodedImage.Of(picture.ToRgb()) : picture, model.Architecture.Preparation, pixels);
                return model.EncodeImage(AlignedTensor.Of(pixels, 1, 3, side, side).to(device));
            }),
        ]);
    }

    private static Tensor EncodeTexts(ClipModel model, string[] texts, string vocabulary, Session session)
    {
        var tokenizer = ClipTokenizer.Load(vocabulary);
        var (context, known) = (model.Architecture.ContextLength, model.Architecture.VocabularySize);
        UserErrorException.ThrowIf(
            tokenizer.VocabularySize != known,
            $"{vocabulary} has {tokenizer.VocabularySize} tokens, but the model knows {known}: "
                + $"name the model's own vocabulary with --tokenizer"
        );

        var ids = texts
            .SelectMany(text =>
            {
                var row = tokenizer.Encode(text, context, out var truncated);
                if (truncated)
                {
                    session.Tell($"clipsae: cut to {context} tokens: {text}");
                }

                return row;
            })
            .ToArray();
        return model.EncodeText(tensor(ids, [texts.Length, context]).to(model.LogitScale.device));
    }

    // Weights that are numbers may still be so large that what they give is none.
    private static void RequireNumbers(string checkpoint, params (Tensor? Features, string[] Names)[] parts)
    {
        foreach (var (features, names) in parts)
        {
            if (
                features is not null
                && names.Zip(features.isfinite().all(1).cpu().data<bool>()).FirstOrDefault(row => !row.Second) is { First: { } name }
            )
            {
                throw new UserErrorException(
                    $"{checkpoint}: its features of '{name}' are not finite numbers: its weights are too large for float32; "
                        + "use an earlier checkpoint of the training"
                );
            }
        }
    }

    private static Tensor Unit(Tensor features) => features / features.norm(-1, keepdim: true);

    private static void Save(string path, bool raw, params (Tensor? Features, string[] Names, string Key)[] parts)
    {
        var present = parts.Where(part => part.Features is not null).ToArray();
        SafetensorsWriter.Write(
            path,
            present.Select(part => KeyValuePair.Create(part.Key, (raw ? part.Features! : Unit(part.Features!)).cpu())),
            present.ToDictionary(
                part => part.Key,
                part => new JsonArray([.. part.Names.Select(name => JsonValue.Create(name))]).ToJsonString()
            )
        );
    }

    private static JsonArray Rows(Tensor? features, string[] names, string key, bool raw)
    {
        if (features is null)
        {
            return [];
        }

        var values = (raw ? features : Unit(features)).cpu().data<float>().ToArray();
        var width = values.Length / names.Length;
        return
        [
            .. names.Select((name, row) => new JsonObject { [key] = name, ["embedding"] = Numbers(values.AsSpan(row * width, width)) }),
        ];
    }

    private static JsonArray Matrix(float[] values, int rows, int columns) =>
        [.. Enumerable.Range(0, rows).Select(row => Numbers(values.AsSpan(row * columns, columns)))];

    private static JsonArray Numbers(ReadOnlySpan<float> values) => [.. values.ToArray().Select(value => JsonValue.Create(value))];

    private static void Write(IAnsiConsole console, JsonObject answer, float[]? matches, string[] images, string[] texts)
    {
        if (answer["file"] is { } file)
        {
            console.WriteUnfolded($"{images.Length} images and {texts.Length} texts embedded into {file}");
        }

        if (matches is null)
        {
            if (answer["file"] is null)
            {
                console.WriteUnfolded(answer.ToJsonString());
            }

            return;
        }

        var table = new NumberTable("image", [.. texts.Select(NumberTable.Heading)]);
        for (var row = 0; row < images.Length; row++)
        {
            table.Add(
                Path.GetFileName(images[row]),
                [.. Enumerable.Range(0, texts.Length).Select(column => Amounts.Share(matches[(row * texts.Length) + column]))]
            );
        }

        table.Write(console);
    }

    private sealed record Asked(string Checkpoint, string? Vocabulary, string[] Images, string[] Texts, string? File, bool Raw);
}
