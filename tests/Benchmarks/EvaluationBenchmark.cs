using System.Globalization;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;
using ClipSae.Pipeline.Stages;
using ClipSae.Tensors;
using ClipSae.ZeroShotEvaluation;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Settings;
using TorchSharp;

namespace ClipSae.Benchmarks;

/// <summary>
/// An evaluation (tar, decode, resize, model, figures) against the bare model on as many images, with a ViT-B/32 shape in float32, and the
/// time for texts the first and the second time.
/// </summary>
internal sealed class EvaluationBenchmark : IBenchmark
{
    private const int Batch = 32;
    private const int Rounds = 3;
    private const int Width = 500;
    private const int Height = 375;
    private const int ClassesOfTexts = 500;
    private static readonly string[] Classes = ["cat", "dog", "tree", "boat"];

    public string Verb => "evaluation";

    public string Summary =>
        "evaluation against the bare model and decoding alone, and texts the first and second time: "
        + "[images 256] [threads 2] [classes of the text part 500]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        int Option(int place, int otherwise) => options.Count > place ? int.Parse(options[place], CultureInfo.InvariantCulture) : otherwise;
        Compute.UseThreads(Option(1, 2));
        var folder = Directory.CreateTempSubdirectory("evaluation-benchmark").FullName;
        try
        {
            RunIn(folder, Option(0, 256), Option(2, ClassesOfTexts), output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void RunIn(string folder, int images, int classes, TextWriter output)
    {
        var merges = BpeLearner.Learn(["a photo of a cat", "a photo of a dog", "a drawing of a tree", "a boat 0123456789"], 60);
        var tokenizer = ClipTokenizer.FromMerges(merges);
        var weights = Path.Combine(folder, "model.safetensors");
        using (var made = ClipModel.Initialize(new ClipArchitecture(512, 224, 12, 768, 32, 77, tokenizer.VocabularySize, 512, 12), 1))
        {
            made.Save(weights);
        }

        // What one batch takes is what each model costs once: loading, texts, the comparison of text towers.
        var pictures = Enumerable.Range(0, images + Batch).Select(i => MadeUpPhoto.Jpeg(i, Width, Height)).ToArray();
        var (shard, small) = (Path.Combine(folder, "shard.tar"), Path.Combine(folder, "batch.tar"));
        foreach (var (path, count) in new[] { (shard, pictures.Length), (small, Batch) })
        {
            DatasetShard.Write(
                path,
                pictures
                    .Take(count)
                    .Select((picture, i) => (new DatasetItem($"{i}.jpg", ["a photo"], Classes[i % Classes.Length]), picture))
            );
        }

        var one = new ModelUnderTest("base", weights);
        var again = one with { Name = "again" };
        void Evaluate(string path, params ModelUnderTest[] models) =>
            new ZeroShotEvaluator(new EvaluationOptions { BatchSize = Batch }, tokenizer)
                .EvaluateAsync(models, [new EvaluationSet("clean", [path])], folder)
                .GetAwaiter()
                .GetResult()
                .Dispose();

        using var model = ClipModel.Load(weights);
        using var plan = VisionPlan.Compile(model);
        using var batch = torch.randn(Batch, 3, 224, 224);
        double[] seconds =
        [
            .. Measure
                .Interleaved(
                    Rounds,
                    () => Evaluate(shard, one),
                    () => Evaluate(small, one),
                    () => Evaluate(shard, one, again),
                    () => Evaluate(small, one, again),
                    () => Bare(plan, batch, images),
                    () => Decode(pictures[..images])
                )
                .Select(Measure.Median),
        ];
        var (first, firstOnce) = (seconds[0] - seconds[1], seconds[1]);
        var (second, secondOnce) = (seconds[2] - seconds[3] - first, seconds[3] - seconds[1]);
        var (bare, decoding) = (seconds[4], seconds[5]);
        var table = new MarkdownTable("ViT-B/32, float32, JPEG of 500 × 375", "seconds", "images/s", "to the bare model");
        void Row(string name, double taken) =>
            table.Add(name, Text(taken, 2), Text(images / taken, 1), taken == bare ? "1.00" : Text(bare / taken, 2));
        Row("bare model, nothing to decode", bare);
        Row($"evaluation, {images} pictures more than {Batch}", first);
        Row("of a second model, pixels kept", second);
        Row("decoding and resizing alone, one thread", decoding);
        table.Print(output);
        output.WriteLine(
            $"Once a model, with {Batch} pictures: {Text(firstOnce, 2)} s; {Text(secondOnce, 2)} s for a second one, "
                + "with the comparison of both text towers."
        );
        output.WriteLine();
        Texts(folder, tokenizer, weights, shard, classes, output);
    }

    private static void Texts(string folder, ClipTokenizer tokenizer, string weights, string shard, int classes, TextWriter output)
    {
        string[] templates = ["a photo of a {}", "a drawing of a {}", "a {}", "the {}"];
        var options = new EvaluationOptions
        {
            PromptTemplates = templates,
            Classes = [.. Classes, .. Enumerable.Range(0, classes).Select(i => $"boat {i}")],
        };
        var results = new StageResults(new FolderObjectStore(Path.Combine(folder, "results")));
        var cache = new TextEmbeddingCache(
            new FolderArtifactStore(Path.Combine(folder, "store")),
            results,
            "benchmark",
            TimeProvider.System
        );
        var small = Path.Combine(folder, "small.tar");
        DatasetShard.Write(small, DatasetShard.Read(shard).Take(4).Select(entry => (entry.Item, entry.ImageBytes.ToArray())));
        double Evaluate() =>
            Measure.Seconds(() =>
                new ZeroShotEvaluator(options, tokenizer, "sha256:tokenizer", cache)
                    .EvaluateAsync(
                        [new ModelUnderTest("base", weights, Digest: "sha256:model")],
                        [new EvaluationSet("clean", [small])],
                        folder
                    )
                    .GetAwaiter()
                    .GetResult()
                    .Dispose()
            );
        var (first, second) = (Evaluate(), Evaluate());
        var table = new MarkdownTable($"4 images, {classes + Classes.Length} classes × {templates.Length} prompts", "seconds");
        table.Add("first evaluation", Text(first, 2));
        table.Add("second evaluation, texts taken from the store", Text(second, 2));
        table.Print(output);
    }

    private static void Bare(VisionPlan plan, torch.Tensor batch, int images)
    {
        for (var done = 0; done < images; done += Batch)
        {
            using var part = batch.narrow(0, 0, Math.Min(Batch, images - done));
            plan.EncodeImage(part).Dispose();
        }
    }

    private static void Decode(byte[][] pictures)
    {
        var decoder = new RegionDecoder();
        var pixels = new byte[3 * 224 * 224];
        foreach (var picture in pictures)
        {
            if (!decoder.TryDecode(picture, Needed, out var decoded, out var problem))
            {
                throw new InvalidOperationException(problem);
            }

            Preprocessor.Resize(decoded, ImagePreparation.OpenAi(224), pixels);
        }

        static ImageRegion Needed(int width, int height) => ImageResize.Needed(width, height, ImagePreparation.OpenAi(224).Target);
    }

    private static string Text(double value, int digits) => value.ToString("F" + digits, CultureInfo.InvariantCulture);
}
