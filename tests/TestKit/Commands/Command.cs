using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace ClipSae.TestKit.Commands;

/// <summary>A started <c>clipsae</c> process.</summary>
public sealed partial class Command : IDisposable
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    private readonly Process _process;
    private readonly StringBuilder _out = new();
    private readonly StringBuilder _error = new();

    private Command(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Append(_out, line.Data);
        process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Out => Text(_out);

    public string Error => Text(_error);

    public bool HasExited => _process.HasExited;

    /// <summary>Runs the command to its end.</summary>
    public static async Task<CommandResult> RunAsync(
        IEnumerable<string> arguments,
        string? wrapper = null,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        using var command = Start(arguments, wrapper, environment);
        return await command.EndAsync();
    }

    /// <param name="arguments">Arguments of the command.</param>
    /// <param name="wrapper">A line of shell that runs before the command in the same process, for example a limit.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    public static Command Start(
        IEnumerable<string> arguments,
        string? wrapper = null,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        var program = Path.Combine(AppContext.BaseDirectory, "clipsae");
        var start = new ProcessStartInfo
        {
            FileName = wrapper is null ? program : "/bin/sh",
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var argument in wrapper is null ? arguments : ["-c", $"{wrapper}; exec \"$0\" \"$@\"", program, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Remove("CLIPSAE_DATA");
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // its sockets would stay behind when the process is killed
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new Command(new Process { StartInfo = start });
    }

    public void Signal(int number)
    {
        if (!_process.HasExited)
        {
            _ = SendSignal(_process.Id, number);
        }
    }

    /// <summary>Waits until standard error holds a text; false where the process ended without it.</summary>
    public async Task<bool> SaysAsync(string text)
    {
        var waited = Stopwatch.StartNew();
        while (!Error.Contains(text, StringComparison.Ordinal))
        {
            if (_process.HasExited)
            {
                _process.WaitForExit();
                return Error.Contains(text, StringComparison.Ordinal);
            }

            waited.Elapsed.ShouldBeLessThan(Timeout, Error);
            await Task.Delay(20);
        }

        return true;
    }

    public async Task<CommandResult> EndAsync()
    {
        using var limit = new CancellationTokenSource(Timeout);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            throw new TimeoutException($"clipsae did not end within {Timeout}: {Error}");
        }

        return new CommandResult(_process.ExitCode, Out, Error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.AppendLine(line);
            }
        }
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
