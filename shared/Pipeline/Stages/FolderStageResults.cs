using System.Text;
using System.Text.Json;
using ClipSae.Artifacts;
using ClipSae.Contracts;

namespace ClipSae.Pipeline;

/// <summary>Results in a folder: <c>stages/{key}/result.json</c>, with <c>stages/last/{stage}/{unit}</c> naming a unit's last key.</summary>
public sealed class FolderStageResults(string root, TimeProvider time) : IStageResults
{
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(100);
    private readonly string _stages = Path.Combine(Path.GetFullPath(root), "stages");

    public async Task<StoredResult?> FindAsync(string key, CancellationToken cancel = default)
    {
        var path = ResultPath(key);
        byte[] content;
        try
        {
            content = await File.ReadAllBytesAsync(path, cancel);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<StoredResult>(content, ContractJson.Options) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{path} is damaged ({error.Message.Split('\n')[0].TrimEnd('.')}): delete the file and run again to recompute the unit", error);
        }
    }

    public Task SaveAsync(string key, StoredResult result, CancellationToken cancel = default)
    {
        AtomicFile.Write(ResultPath(key), JsonSerializer.SerializeToUtf8Bytes(result, ContractJson.Options));
        return Task.CompletedTask;
    }

    public async Task<string?> LastKeyAsync(string stage, string unit, CancellationToken cancel = default)
    {
        try
        {
            return await File.ReadAllTextAsync(LastPath(stage, unit), cancel);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public Task RememberKeyAsync(string stage, string unit, string key, CancellationToken cancel = default)
    {
        AtomicFile.Write(LastPath(stage, unit), Encoding.UTF8.GetBytes(key));
        return Task.CompletedTask;
    }

    public async Task<IDisposable> HoldAsync(string key, CancellationToken cancel = default)
    {
        var path = Path.Combine(_stages, key, "lock");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        while (true)
        {
            // The lock lives in the open file and not in the name: the operating system drops it with the process, so none is ever stale.
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException error) when (!DiskErrors.IsLasting(error) && error is not (FileNotFoundException or DirectoryNotFoundException))
            {
                await Task.Delay(LockPoll, time, cancel);
            }
        }
    }

    private string ResultPath(string key) => Path.Combine(_stages, key, "result.json");

    private string LastPath(string stage, string unit) => Path.Combine(_stages, "last", stage, unit);
}
