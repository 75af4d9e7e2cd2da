using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Web;
using ClipSae.Web.Security;

namespace ClipSae.Benchmarks.Atlas;

/// <summary>
/// How long the pages of a large autoencoder's features take, through the real server: the first view of a server that has just begun, with
/// its pictures, and searches. The index is computed by the server, when it is asked as its button asks.
/// </summary>
internal sealed partial class AtlasBenchmark : IBenchmark
{
    private const string Atlas = $"/runs/{LargeAtlas.Run}/atlas/{LargeAtlas.Unit}";
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    public string Verb => "atlas";

    public string Summary =>
        "first view of and searches among the features of a large autoencoder [features pictures rounds, default 16384 100000 9]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        int[] sizes = [.. options.Select(option => int.Parse(option, CultureInfo.InvariantCulture))];
        RunAsync(
                sizes is [var features, ..] ? features : 16_384,
                sizes is [_, var pictures, ..] ? pictures : 100_000,
                sizes is [_, _, var rounds, ..] ? rounds : 9,
                output
            )
            .GetAwaiter()
            .GetResult();
    }

    private static async Task RunAsync(int features, int pictures, int rounds, TextWriter output)
    {
        var folder = Directory.CreateTempSubdirectory("atlas-benchmark").FullName;
        try
        {
            await using (var runtime = Open(folder))
            {
                await LargeAtlas.WriteAsync(runtime, Path.Combine(folder, "made"), features, pictures);
                var index = await TimedAsync(() => ComputeIndexAsync(runtime, folder));
                output.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"index of {features} features over {pictures} pictures: {index.Wall:F0} "
                            + $"s, {index.Processor:F0} s of processor time"
                    )
                );
            }

            var table = new MarkdownTable("request", "median ms", "slowest ms", "processor ms");
            var cold = new Dictionary<string, List<Taken>>();
            for (var round = 0; round < 3; round++)
            {
                await FirstViewAsync(folder, cold);
            }

            await SearchesAsync(folder, features, rounds, cold);
            foreach (var (name, taken) in cold)
            {
                table.Add(
                    name,
                    Milliseconds(Measure.Median(taken.Select(one => one.Wall))),
                    Milliseconds(taken.Max(one => one.Wall)),
                    Milliseconds(Measure.Median(taken.Select(one => one.Processor)))
                );
            }

            table.Print(output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static EmbeddedRuntime Open(string folder) =>
        EmbeddedRuntime.Create(new ClipSaeOptions { DataFolder = Path.Combine(folder, "data") }, _ => { });

    private static async Task ComputeIndexAsync(EmbeddedRuntime runtime, string folder)
    {
        await using var server = await WebServer.StartAsync(runtime, new WebOptions(), folder, TimeProvider.System);
        using var http = Client(server);
        var page = await http.GetStringAsync(Atlas);
        using var asked = await http.PostAsync(
            Atlas + "/index",
            new FormUrlEncodedContent([KeyValuePair.Create("csrf", Secret().Match(page).Groups[1].Value)])
        );
        asked.EnsureSuccessStatusCode();
        while (!(page = await http.GetStringAsync(Atlas)).Contains("are measured on", StringComparison.Ordinal))
        {
            if (page.Contains("Not computed", StringComparison.Ordinal))
            {
                throw new InvalidOperationException("the index cannot be computed: " + Problem().Match(page).Groups[1].Value);
            }

            await Task.Delay(BetweenLooks);
        }
    }

    /// <summary>A server that has read nothing yet: the features, a page of pictures, a feature.</summary>
    private static async Task FirstViewAsync(string folder, Dictionary<string, List<Taken>> taken)
    {
        await using var runtime = Open(folder);
        await using var server = await WebServer.StartAsync(runtime, new WebOptions(), folder, TimeProvider.System);
        using var http = Client(server);
        var page = "";
        Add(taken, "first view of the features", await TimedAsync(async () => page = await http.GetStringAsync(Atlas)));
        string[] pictures = [.. Picture().Matches(page).Select(match => WebUtility.HtmlDecode(match.Groups[1].Value))];
        Add(taken, "the first of its pictures", await TimedAsync(() => http.GetByteArrayAsync(pictures[0])));
        Add(
            taken,
            FormattableString.Invariant($"all {pictures.Length} of them"),
            await TimedAsync(() => Task.WhenAll(pictures.Select(picture => http.GetByteArrayAsync(picture))))
        );
        Add(taken, "first view of a feature", await TimedAsync(() => http.GetStringAsync(Atlas + "/7")));
    }

    private static async Task SearchesAsync(string folder, int features, int rounds, Dictionary<string, List<Taken>> taken)
    {
        await using var runtime = Open(folder);
        await using var server = await WebServer.StartAsync(runtime, new WebOptions(), folder, TimeProvider.System);
        using var http = Client(server);
        (string Name, string Path)[] requests =
        [
            ("features, in order of density", "?order=density"),
            ("search by name", $"?q={LargeAtlas.Name}"),
            ("search by class or word", $"?q={Uri.EscapeDataString(LargeAtlas.Class)}"),
            ("search by number", FormattableString.Invariant($"?q={features / 4}")),
            ("search that finds nothing", "?q=unheard"),
            ("the last page", "?order=number&page=683"),
            ("a feature", FormattableString.Invariant($"/{features / 4}")),
        ];
        for (var round = -1; round < rounds; round++)
        {
            foreach (var (name, path) in requests)
            {
                var one = await TimedAsync(() => http.GetStringAsync(Atlas + path));
                if (round >= 0)
                {
                    Add(taken, name, one);
                }
            }
        }
    }

    private static HttpClient Client(WebServer server) => new() { BaseAddress = new UriBuilder(server.Address) { Host = "127.0.0.1" }.Uri };

    private static void Add(Dictionary<string, List<Taken>> taken, string name, Taken one)
    {
        if (!taken.TryGetValue(name, out var known))
        {
            taken[name] = known = [];
        }

        known.Add(one);
    }

    private static async Task<Taken> TimedAsync(Func<Task> work)
    {
        using var process = Process.GetCurrentProcess();
        var (processor, start) = (process.TotalProcessorTime, Stopwatch.GetTimestamp());
        await work();
        var wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
        process.Refresh();
        return new Taken(wall, (process.TotalProcessorTime - processor).TotalSeconds);
    }

    private static string Milliseconds(double seconds) => (1000 * seconds).ToString("F0", CultureInfo.InvariantCulture);

    [GeneratedRegex("<meta name=\"csrf\" content=\"([^\"]+)\"")]
    private static partial Regex Secret();

    [GeneratedRegex("Not computed: ([^<]+)<")]
    private static partial Regex Problem();

    [GeneratedRegex("<img src=\"(/runs/[^\"]+)\"")]
    private static partial Regex Picture();

    private sealed record Taken(double Wall, double Processor);
}
