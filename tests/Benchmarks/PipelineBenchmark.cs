using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace ClipSae.Benchmarks;

/// <summary>
/// What the pipeline itself costs: the demo from an empty folder, the same demo with everything in the store, a replay of it, and a command
/// that does nothing but start. Options of the demo may follow, for example <c>--arms none</c>.
/// </summary>
internal sealed class PipelineBenchmark : IBenchmark
{
    public string Verb => "pipeline";

    public string Summary => "the demo, its cached repetition and its replay against a bare start of the program [options of the demo]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        var data = Directory.CreateTempSubdirectory("pipeline-benchmark").FullName;
        try
        {
            var start = Enumerable.Range(0, 3).Select(_ => Command(["runs", "--data", data, "--json"])).MinBy(c => c.Wall)!;
            var demo = Command(["demo", .. options, "--data", data, "--json"]);
            var again = Command(["demo", .. options, "--data", data, "--json"]);
            var replay = Command(["replay", demo.Answer["runId"]!.GetValue<string>(), "--data", data, "--json"]);
            var table = new MarkdownTable("command", "wall s", "processor s", "processor s beyond start", "stages computed");
            foreach (
                var (name, command) in new[] { ("bare start (runs)", start), ("demo", demo), ("demo again", again), ("replay", replay) }
            )
            {
                var stages = command.Answer["stages"]?.AsArray() ?? [];
                table.Add(
                    name,
                    Text(command.Wall),
                    Text(command.Processor),
                    Text(command.Processor - start.Processor),
                    stages.Count(s => s!["cache"]!.GetValue<string>() != "hit").ToString(CultureInfo.InvariantCulture)
                );
            }

            table.Print(output);
            var computed = demo.Answer["stages"]!.AsArray().Sum(s => s!["seconds"]!.GetValue<double>());
            // A run with everything in the store does all that the machinery does, and of the stages only the report.
            var machinery = again.Wall - start.Wall;
            output.WriteLine(
                $"stages computed for {Text(computed)} s; machinery {Text(machinery)} s, {Text(100 * machinery / computed)} % of it"
            );
            output.WriteLine();
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static Finished Command(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "clipsae"), arguments) { RedirectStandardOutput = true };
        var watch = Stopwatch.GetTimestamp();
        var before = EndedChildren.ProcessorSeconds;
        using var process = Process.Start(start)!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var wall = Stopwatch.GetElapsedTime(watch).TotalSeconds;
        return process.ExitCode == 0
            ? new Finished(wall, EndedChildren.ProcessorSeconds - before, JsonNode.Parse(text)!.AsObject())
            : throw new InvalidOperationException($"clipsae {string.Join(' ', arguments)} ended with code {process.ExitCode}");
    }

    private static string Text(double value) => value.ToString("F2", CultureInfo.InvariantCulture);

    private sealed record Finished(double Wall, double Processor, JsonObject Answer);
}
