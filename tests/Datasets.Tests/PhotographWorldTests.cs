using System.Diagnostics;
using System.Text.Json.Nodes;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.TestKit.Files;

namespace ClipSae.Datasets.Tests;

/// <summary>The photograph benchmark's world (<c>infra/photographs/world.py</c>) at a small size.</summary>
public sealed class PhotographWorldTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void No_photograph_is_on_two_sides_and_what_a_run_is_given_says_nothing_of_the_print()
    {
        var world = Build("world");

        string[] Contents(string part) =>
            [
                .. Directory
                    .EnumerateFiles(Path.Combine(world, part), "*.png", SearchOption.AllDirectories)
                    .Select(file => Convert.ToHexString(File.ReadAllBytes(file))),
            ];
        JsonObject[] Rows(string part) =>
            [.. JsonNode.Parse(File.ReadAllText(Path.Combine(world, part, "captions.json")))!.AsArray().Select(row => row!.AsObject())];
        string[][] parts = [Contents("base"), Contents("run"), Contents("evaluation/clean")];
        parts.Select(part => part.Length).ShouldBe([20, 6, 4]); // all of base's 20 as they are; three fifths of run's 10 bear no print
        parts.SelectMany(part => part).Distinct().Count().ShouldBe(30);
        Rows("base").Length.ShouldBe(60);
        Rows("base").Count(row => row["word"] is not null).ShouldBe(40, "every photograph of base is printed on twice");

        Rows("run").Length.ShouldBe(10);
        Rows("run").ShouldAllBe(row => row.Select(member => member.Key).SequenceEqual(new[] { "path", "captions" }));
        File.ReadAllLines(Path.Combine(world, "truth.csv")).Count(line => line.EndsWith(",1", StringComparison.Ordinal)).ShouldBe(2);
        Rows("run-without").Length.ShouldBe(8);
        Directory.GetDirectories(Path.Combine(world, "evaluation"), "attacked-*").Length.ShouldBe(15);
    }

    private string Build(string name)
    {
        var photographs = _folder.File("photographs");
        foreach (var label in new[] { "cat", "ship" })
        {
            Directory.CreateDirectory(Path.Combine(photographs, label));
            for (var i = 0; i < 17; i++)
            {
                var random = new SeededRandom(i, label);
                var rgb = new byte[32 * 32 * 3];
                for (var at = 0; at < rgb.Length; at++)
                {
                    rgb[at] = (byte)random.Next(256);
                }

                File.WriteAllBytes(Path.Combine(photographs, label, $"{i:D2}.png"), PngEncoder.Encode(new RgbImage(32, 32, rgb)));
            }
        }

        var world = _folder.File(name);
        var script = Path.Combine(Root(), "infra/photographs/world.py");
        using var python = Start(
            "python3",
            [script, photographs, world, "--base", "20", "--run", "10", "--evaluation", "4", "--family", "1", "--threads", "1"]
        );
        Assert.SkipWhen(python is null, "there is no python3 here");
        var said = python!.StandardError.ReadToEndAsync();
        python.StandardOutput.ReadToEnd();
        python.WaitForExit();
        Assert.SkipWhen(said.Result.Contains("install", StringComparison.Ordinal), said.Result);
        python.ExitCode.ShouldBe(0, said.Result);
        return world;
    }

    private static Process? Start(string program, IEnumerable<string> arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "ClipSae.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }
}
