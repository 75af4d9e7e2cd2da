using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Web.Records;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Atlas;

/// <summary>What the atlas has read of runs: the last few autoencoders, libraries of pictures and places of activations.</summary>
internal sealed class AtlasShelf(ClipSaeRuntime runtime, RunReader reader, TimeProvider time)
{
    private const int VolumesKept = 4;
    private readonly RecentlyRead<AtlasVolume> _volumes = new(VolumesKept);
    private readonly RecentlyRead<ImageLibrary> _libraries = new(2);
    private readonly RecentlyRead<ActivationShards> _activations = new(VolumesKept);

    /// <summary>The units of a run that trained an autoencoder, the one that curation chose first.</summary>
    public static IReadOnlyList<UnitFinished> Units(RunRecord record) =>
        [
            .. record
                .State.Finished(ParameterSections.Sae)
                .Where(unit => unit.Outputs.ContainsKey("statistics"))
                .OrderBy(unit => unit.Unit != record.Curation?.Sae)
                .ThenBy(unit => unit.Unit, StringComparer.Ordinal),
        ];

    /// <exception cref="MissingPageException">The run has no such autoencoder.</exception>
    /// <exception cref="UserErrorException">What is stored of it is missing or damaged.</exception>
    public async Task<AtlasVolume> VolumeAsync(string run, string unit, CancellationToken cancel)
    {
        var (record, trained) = await UnitAsync(run, unit, cancel);
        var salient = record.State.Output(ParameterSections.Curation, OutputNames.Salient);
        return await _volumes.GetAsync($"{run} {unit} {salient?.Digest}", async () =>
        {
            var findings = salient is null ? null : await ResultFormats.Salient.ReadAsync(salient, runtime.Artifacts.FetchAsync, cancel);
            var statistics = await ResultFormats.Statistics.ReadAsync(
                trained.Outputs[OutputNames.Statistics],
                runtime.Artifacts.FetchAsync,
                cancel
            );

            // A large file, of which the list of features needs nothing.
            string Fetch() =>
                runtime.Artifacts.FetchAsync(trained.Outputs[OutputNames.Autoencoder], CancellationToken.None).GetAwaiter().GetResult();
            return new AtlasVolume(record, trained, statistics, findings?.Sae == unit ? findings : null, Fetch);
        });
    }

    /// <summary>A run and the unit that trained an autoencoder of it.</summary>
    /// <exception cref="MissingPageException">The run has no such autoencoder.</exception>
    public async Task<(RunRecord Record, UnitFinished Trained)> UnitAsync(string run, string unit, CancellationToken cancel)
    {
        var record = await reader.ReadAsync(run, cancel);
        return (
            record,
            Units(record).FirstOrDefault(candidate => candidate.Unit == unit)
                ?? throw new MissingPageException($"Run {run} has no autoencoder {unit}.")
        );
    }

    public Task<ImageLibrary> ImagesAsync(RunRecord record, CancellationToken cancel) =>
        _libraries.GetAsync(string.Join(' ', ImageLibrary.Shards(record).Select(shard => shard.Value.Digest)), () =>
            ImageLibrary.OpenAsync(runtime, record, time, cancel)
        );

    /// <summary>The activations that an autoencoder was trained on.</summary>
    public Task<ActivationShards> ActivationsAsync(AtlasVolume volume, CancellationToken cancel) =>
        _activations.GetAsync(
            $"{volume.Record.Run} {volume.Statistics.Hook} {ActivationShards.Of(volume.Record, volume.Statistics.Hook).Count}",
            () => ActivationShards.OpenAsync(runtime, volume.Record, volume.Statistics.Hook, cancel)
        );

    /// <summary>The last few values that were read; whoever asks for one that is being read waits for it.</summary>
    private sealed class RecentlyRead<T>(int kept)
        where T : class
    {
        private readonly SemaphoreSlim _turn = new(1, 1);
        private readonly List<(string Key, T Value)> _values = [];

        public async Task<T> GetAsync(string key, Func<Task<T>> read)
        {
            await _turn.WaitAsync();
            try
            {
                if (_values.FindIndex(entry => entry.Key == key) is >= 0 and var place)
                {
                    var known = _values[place];
                    _values.RemoveAt(place);
                    _values.Add(known);
                    return known.Value;
                }

                // What is put out may still be in use by a request; the collector takes it after that.
                var value = await read();
                _values.Add((key, value));
                if (_values.Count > kept)
                {
                    _values.RemoveAt(0);
                }

                return value;
            }
            finally
            {
                _turn.Release();
            }
        }
    }
}
