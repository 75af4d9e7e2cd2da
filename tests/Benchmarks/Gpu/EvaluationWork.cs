using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.Tensors;
using ClipSae.ZeroShotEvaluation;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Settings;
using TorchSharp;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>An evaluation of one model and of two on the same pictures, in bfloat16; loading the weights counts.</summary>
internal sealed class EvaluationWork : IGpuWork
{
    private static readonly string[] Classes = ["cat", "dog", "tree", "boat"];

    public string Name => "evaluation";

    public IEnumerable<GpuFigure> Measure(torch.Device device, GpuScale scale, GemmPeak peak)
    {
        var folder = Directory.CreateTempSubdirectory("gpu-evaluation").FullName;
        try
        {
            var tokenizer = ClipTokenizer.FromMerges(
                BpeLearner.Learn(["a photo of a cat", "a photo of a dog", "a drawing of a tree", "a boat 0123456789"], 60)
            );
            var weights = Path.Combine(folder, "model.safetensors");
            using (var model = ClipModel.Initialize(scale.Tower with { VocabularySize = tokenizer.VocabularySize }, 1))
            {
                model.Save(weights);
            }

            var shard = Path.Combine(folder, "shard.tar");
            var pictures = new byte[scale.Pictures][];
            Parallel.For(0, pictures.Length, i => pictures[i] = MadeUpPhoto.Jpeg(i, 500, 400));
            DatasetShard.Write(
                shard,
                pictures.Select((picture, i) => (new DatasetItem($"{i}.jpg", ["a photo"], Classes[i % Classes.Length]), picture))
            );
            var options = new EvaluationOptions
            {
                BatchSize = scale.TowerBatches[^1],
                Compute = Precision.Bfloat16,
                Device = device.ToString(),
            };
            var one = new ModelUnderTest("base", weights);
            double Seconds(params ModelUnderTest[] models) =>
                Benchmarks.Measure.Seconds(() =>
                    new ZeroShotEvaluator(options, tokenizer)
                        .EvaluateAsync(models, [new EvaluationSet("clean", [shard])], folder)
                        .GetAwaiter()
                        .GetResult()
                        .Dispose()
                );
            Seconds(one);
            yield return new GpuFigure(
                "evaluation/one model",
                pictures.Length / Seconds(one),
                "images/s",
                scale.IsTiny ? null : peak.Bfloat16 / TowerWork.FlopPerImage
            );
            yield return new GpuFigure(
                "evaluation/two models",
                2 * pictures.Length / Seconds(one, one with { Name = "again" }),
                "images/s",
                scale.IsTiny ? null : peak.Bfloat16 / TowerWork.FlopPerImage
            );
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
