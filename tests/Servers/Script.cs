using System.Diagnostics;

namespace ClipSae.Servers;

/// <summary>The scripts that start real servers; the ones that people use too.</summary>
internal static class Script
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(4);

    /// <summary>Runs a script of <c>infra/local</c> to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message is what it said.</exception>
    public static async Task RunAsync(string name, params string[] arguments)
    {
        var start = new ProcessStartInfo("bash")
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach (var argument in (string[])[SolutionFolder.At("infra", "local", name), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Timeout);
        var said = process.StandardError.ReadToEndAsync(limit.Token);
        var told = process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{name} {string.Join(' ', arguments)} failed: {await said}{await told}");
        }
    }
}
