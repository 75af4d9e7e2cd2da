using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>The same work in PyTorch, by a script in the machine's python3, in a process of its own.</summary>
internal static class PyTorchPeers
{
    /// <returns>Figures by key; none where there is no PyTorch, of which a line tells.</returns>
    public static IReadOnlyDictionary<string, double> Run(string device, GpuScale scale, IEnumerable<string> works, TextWriter output)
    {
        var metrics = new Dictionary<string, double>(StringComparer.Ordinal);
        var script = Path.Combine(AppContext.BaseDirectory, "Gpu", "peers.py");
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(
                    "python3",
                    [script, "--device", device, .. scale.IsTiny ? ["--tiny"] : Array.Empty<string>(), .. works]
                )
                {
                    RedirectStandardOutput = true,
                }
            )!;
            while (process.StandardOutput.ReadLine() is { } line)
            {
                if (!line.StartsWith('{'))
                {
                    output.WriteLine(line);
                    continue;
                }

                using var metric = JsonDocument.Parse(line);
                var (key, value) = (
                    metric.RootElement.GetProperty("key").GetString()!,
                    metric.RootElement.GetProperty("value").GetDouble()
                );
                metrics[key] = value;
                output.WriteLine(FormattableString.Invariant($"PyTorch {key}: {value:G5}"));
                output.Flush();
            }

            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                output.WriteLine($"peers.py ended with {process.ExitCode}; what it had not measured has no ratio");
            }
        }
        catch (Win32Exception)
        {
            output.WriteLine("no python3: figures without PyTorch's");
        }

        return metrics;
    }
}
