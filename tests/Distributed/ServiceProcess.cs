using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ClipSae.Distributed;

/// <summary>One process of the system, as an operator runs it; it can be killed and started again.</summary>
/// <remarks>A service is named by its program, a worker by its stage.</remarks>
internal sealed partial class ServiceProcess(string service, string name, string folder, IReadOnlyDictionary<string, string> environment)
    : IDisposable
{
    private const int Kill9 = 9;
    private const int Terminate = 15;
    private Process _process = null!;
    private int _startsBefore;

    public string Name => name;

    public string Service => service;

    public bool HasExited => _process.HasExited;

    /// <summary>All that the process and its predecessors have written.</summary>
    public string Log
    {
        get
        {
            using var file = new FileStream(LogPath, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(file);
            return reader.ReadToEnd();
        }
    }

    private string[] Program => [Path.Combine(AppContext.BaseDirectory, "ClipSae.Service"), service];

    /// <summary>How often it and its predecessors were ready to be stopped.</summary>
    private int Starts => Log.Split("Application started").Length - 1;

    private string LogPath => Path.Combine(folder, name + ".log");

    public void Start(params string[] arguments)
    {
        // A shell that becomes the program: its output goes to the log without anyone pumping it.
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        foreach (var argument in (string[])["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1", "sh", LogPath, .. Program, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (variable, value) in environment)
        {
            start.Environment[variable] = value;
        }

        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // its sockets would stay behind when the process is killed
        start.Environment["ClipSae__DataFolder"] = Path.Combine(folder, "work-" + name);
        _startsBefore = Starts;
        _process = Process.Start(start)!;
    }

    /// <summary>kill -9, without a chance to say anything.</summary>
    public async Task KillAsync()
    {
        if (!HasExited)
        {
            _ = Signal(_process.Id, Kill9);
            await _process.WaitForExitAsync();
        }
    }

    /// <summary>SIGTERM; gives the exit code. A process that has only just begun would die of the signal, so it may start first.</summary>
    public async Task<int> StopAsync()
    {
        for (var look = 0; look < 600 && !HasExited && Starts == _startsBefore; look++)
        {
            await Task.Delay(50);
        }

        if (!HasExited)
        {
            _ = Signal(_process.Id, Terminate);
        }

        return await EndAsync();
    }

    /// <summary>Waits until the process ends by itself; gives the exit code.</summary>
    public async Task<int> EndAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
