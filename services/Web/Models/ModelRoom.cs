using ClipSae.Hosting.Service;
using ClipSae.Web.Records;

namespace ClipSae.Web.Models;

/// <summary>The models of the run that was asked about last; one question or computation at a time has them.</summary>
internal sealed class ModelRoom(ClipSaeRuntime runtime) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private (string Run, RunModels Models)? _loaded;

    /// <summary>Lets <paramref name="work"/> use a run's models, on a thread of its own.</summary>
    /// <exception cref="Contracts.UserErrorException">A model is missing, damaged, or no CLIP.</exception>
    public async Task<T> UseAsync<T>(RunRecord record, Func<RunModels, T> work, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            if (_loaded is not { } known || known.Run != record.Run)
            {
                // Of large models two runs' would not fit into memory.
                _loaded?.Models.Dispose();
                _loaded = null;
                known = (record.Run, await RunModels.LoadAsync(runtime, record, cancel));
                _loaded = known;
            }

            return await Task.Run(() => work(known.Models), cancel);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _loaded?.Models.Dispose();
        _turn.Dispose();
    }
}
