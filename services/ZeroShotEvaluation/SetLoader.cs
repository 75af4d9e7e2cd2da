using System.Collections.Concurrent;
using ClipSae.Contracts;
using ClipSae.Datasets;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>Reads a set's shards and decodes its images once, on all cores, for all models.</summary>
internal static class SetLoader
{
    /// <exception cref="UserErrorException">The set is empty, or a shard is damaged. Single bad images become problems.</exception>
    public static LoadedSet Load(EvaluationSet set, int resolution, EvaluationOptions options, string scratch, CancellationToken cancel)
    {
        var pixels = new PixelStore(3 * resolution * resolution, (long)options.PixelMemory << 20, scratch);
        try
        {
            return Load(set, resolution, pixels, cancel);
        }
        catch
        {
            pixels.Dispose();
            throw;
        }
    }

    private static LoadedSet Load(EvaluationSet set, int resolution, PixelStore pixels, CancellationToken cancel)
    {
        var read = new ConcurrentDictionary<int, EvaluationImage>();
        var problems = new ConcurrentDictionary<int, EvaluationProblem>();
        var options = new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount };
        try
        {
            Parallel.ForEach(Partitioner.Create(Items(set), EnumerablePartitionerOptions.NoBuffering), options, entry =>
            {
                if (string.IsNullOrWhiteSpace(entry.Item.Label))
                {
                    problems[entry.Row] = new EvaluationProblem(entry.Item.Id, "no label");
                }
                else if (!ImageDecoder.TryDecode(entry.Bytes, null, out var image, out var problem))
                {
                    problems[entry.Row] = new EvaluationProblem(entry.Item.Id, $"unreadable: {problem}");
                }
                else
                {
                    pixels.Write(entry.Row, PixelLevels.Of(image, resolution));
                    read[entry.Row] = new EvaluationImage(entry.Item.Id, entry.Item.Label.Trim(), Word(entry.Item));
                }
            });
        }
        catch (AggregateException error) when (error.GetBaseException() is UserErrorException problem)
        {
            throw new UserErrorException($"evaluation set {set.Name}: {problem.Message}", problem);
        }

        return Gather(set, pixels, read, problems);
    }

    private static LoadedSet Gather(
        EvaluationSet set, PixelStore pixels, ConcurrentDictionary<int, EvaluationImage> read, ConcurrentDictionary<int, EvaluationProblem> problems)
    {
        if (read.IsEmpty && problems.IsEmpty)
        {
            throw new UserErrorException($"evaluation set {set.Name} is empty: give it images with labels, or leave the set out");
        }

        int[] rows = [.. read.Keys.Order()];
        EvaluationImage[] images = [.. rows.Select(row => read[row])];
        return new LoadedSet(
            set.Name,
            EvaluationProtocol.For(set.Name, images),
            images,
            rows,
            read.Count + problems.Count,
            [.. problems.OrderBy(problem => problem.Key).Select(problem => problem.Value)],
            pixels);
    }

    private static IEnumerable<(int Row, DatasetItem Item, ReadOnlyMemory<byte> Bytes)> Items(EvaluationSet set) =>
        set.Shards.SelectMany(DatasetShard.Read).Select((entry, row) => (row, entry.Item, entry.ImageBytes));

    private static string? Word(DatasetItem item) =>
        item.Attributes?["word"]?.GetValueKind() is System.Text.Json.JsonValueKind.String ? item.Attributes["word"]!.GetValue<string>().Trim() : null;
}
