using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Hosting.Tests;

public partial class MetricNameTests
{
    [Fact]
    public void Alerts_and_dashboards_ask_only_for_metrics_that_there_are()
    {
        var known = Instruments().SelectMany(PrometheusNames).ToHashSet(StringComparer.Ordinal);

        var asked = AskedFor().ToArray();

        asked.ShouldNotBeEmpty();
        asked.Except(known).ShouldBeEmpty($"known are {string.Join(", ", known.Order())}");
    }

    [Theory]
    [InlineData("clipsae.items", "{item}")]
    [InlineData("clipsae.queue.wait", "s")]
    [InlineData("clipsae.stage.duration", "s")]
    [InlineData("clipsae.cache.hits", "{unit}")]
    [InlineData("clipsae.redeliveries", "{unit}")]
    [InlineData("clipsae.checkpoint.age", "s")]
    [InlineData("clipsae.device.memory", "By")]
    public void Every_quantity_has_its_unit(string name, string unit) =>
        Instruments().Single(instrument => instrument.Name == name).Unit.ShouldBe(unit);

    [Fact]
    public async Task Alerts_fire_when_they_should_and_only_then()
    {
        var promtool = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':')
            .Select(folder => Path.Combine(folder, "promtool"))
            .FirstOrDefault(File.Exists);
        Assert.SkipWhen(promtool is null, "promtool, of Prometheus, is not installed");
        var start = new ProcessStartInfo(promtool!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Observability,
        };
        foreach (var argument in (string[])["test", "rules", "alerts.test.yaml"])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();

        process.ExitCode.ShouldBe(0, said);
    }

    private static List<Instrument> Instruments()
    {
        PipelineTelemetry.ObserveDeviceMemory(() => []);
        RuntimeHelpers.RunClassConstructor(typeof(PipelineTelemetry).TypeHandle);
        var found = new List<Instrument>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Name == PipelineTelemetry.Name)
            {
                found.Add(instrument);
            }
        };
        listener.Start();
        return [.. found.DistinctBy(instrument => instrument.Name)];
    }

    /// <summary>
    /// Names as the collector's Prometheus exporter writes them: units spelled out, counters with _total, histograms in three parts.
    /// </summary>
    private static IEnumerable<string> PrometheusNames(Instrument instrument)
    {
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        var name = instrument.Name.Replace('.', '_') + unit;
        return instrument switch
        {
            Counter<long> => [name + "_total"],
            Histogram<double> => [name + "_bucket", name + "_sum", name + "_count"],
            _ => [name],
        };
    }

    private static string Observability
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "ClipSae.sln")))
            {
                folder = folder.Parent!;
            }

            return Path.Combine(folder.FullName, "infra", "observability");
        }
    }

    private static IEnumerable<string> AskedFor()
    {
        string[] files =
        [
            Path.Combine(Observability, "alerts.yaml"),
            .. Directory.GetFiles(Path.Combine(Observability, "grafana", "dashboards"), "*.json"),
        ];
        return files
            .SelectMany(file => MetricName().Matches(File.ReadAllText(file)))
            .Select(match => match.Value)
            .Where(name => name is not ("clipsae_stage" or "clipsae_device" or "clipsae_run_status"))
            .Distinct(StringComparer.Ordinal);
    }

    [GeneratedRegex("clipsae_[a-z_]+[a-z]")]
    private static partial Regex MetricName();
}
