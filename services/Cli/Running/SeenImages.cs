using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Shards;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Cli.Running;

/// <summary>Pictures on which a model was trained or chosen, so that no metric is measured on them.</summary>
internal sealed class SeenImages
{
    private readonly List<(string Where, bool Trained, IReadOnlySet<UInt128> Images)> _seen = [];

    /// <summary>Adds pictures that a model is trained on.</summary>
    /// <param name="where">What they are called in a message.</param>
    public void AddTraining(string where, IReadOnlySet<UInt128> pictures) => _seen.Add((where, Trained: true, pictures));

    /// <summary>Adds pictures on which one of several models is chosen.</summary>
    /// <param name="where">What they are called in a message.</param>
    public void AddValidation(string where, IReadOnlySet<UInt128> pictures) => _seen.Add((where, Trained: false, pictures));

    /// <summary>Adds what a run was trained on, where the weights are a run's own; does nothing for any other file.</summary>
    /// <param name="weights">Full path of a checkpoint.</param>
    public async Task AddTrainingOfAsync(string weights, ClipSaeRuntime runtime, Session session, CancellationToken cancel)
    {
        if (
            RunFolder.RunOf(session.DataFolder, weights) is not { } run
            || (await runtime.Events.ReadAsync(run, cancel: cancel)).Select(stored => stored.Event).OfType<RunStarted>().FirstOrDefault()
                is not { } started
        )
        {
            return;
        }

        var pictures = new HashSet<UInt128>();
        using var progress = new CountBar(session, $"{run}: training images read");
        foreach (
            var (_, shard) in started.Spec.Inputs.Where(input => input.Key.StartsWith(RunPlanner.ShardPrefix, StringComparison.Ordinal))
        )
        {
            if (!await runtime.Artifacts.ExistsAsync(shard.Digest, cancel))
            {
                session.Tell($"the images that run {run} was trained on are no longer stored, so they are not compared with the sets");
                return;
            }

            foreach (var (_, bytes) in DatasetShard.Read(await runtime.Artifacts.FetchAsync(shard, cancel)))
            {
                cancel.ThrowIfCancellationRequested();
                pictures.Add(DatasetImporter.DigestOf(bytes.Span));
                progress.Report(pictures.Count);
            }
        }

        AddTraining($"the data set of run {run}", pictures);
    }

    /// <summary>Refuses a set that shares pictures with those seen.</summary>
    /// <param name="set">The set as the command line names it, <c>--evaluation clean</c>.</param>
    /// <param name="chooses">Whether a model is chosen on it: it may share pictures with other sets that choose.</param>
    /// <exception cref="WrongUseException">It does.</exception>
    public void Refuse(string set, IReadOnlySet<UInt128> pictures, bool chooses)
    {
        foreach (var (where, trained, seen) in _seen.Where(seen => seen.Trained || !chooses))
        {
            if (pictures.Count(seen.Contains) is > 0 and var shared)
            {
                var why = (trained, chooses) switch
                {
                    (true, false) => "accuracy on training images is not a test result",
                    (true, true) => "a model must not be chosen on its training images",
                    _ => "accuracy on images that a model was chosen on is not a test result",
                };
                throw new WrongUseException(
                    $"{set}: {shared} of its {pictures.Count} pictures are byte for byte pictures of {where} too, and {why}: "
                        + "remove them from one of the two"
                );
            }
        }
    }
}
