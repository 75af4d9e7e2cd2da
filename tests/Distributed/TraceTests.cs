using System.Text.Json;
using System.Text.RegularExpressions;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Servers;
using ClipSae.TestKit.Commands;

namespace ClipSae.Distributed;

public sealed partial class TraceTests(DistributedSystem system)
{
    [Fact]
    public async Task A_run_is_one_tree_of_spans_with_every_stage_below_its_submission_and_every_metric_has_its_unit()
    {
        // A run of its own: a process that another test kills soon after a run takes the spans with it that it had not sent yet.
        var run = await system.RunAfreshAsync();

        var missing = await MissingAsync(run);

        missing.ShouldBeEmpty(
            string.Join(
                '\n',
                system.Traces.Spans.Where(span => span.Trace == Submission(run)?.Trace).Select(span => $"{span.Service}: {span.Name}")
            )
        );
        var trace = Submission(run)!.Trace;
        var units = system
            .Traces.Spans.Where(span => span.Trace == trace && span.Attributes.ContainsKey(PipelineTelemetry.CacheTag))
            .ToArray();
        units.Length.ShouldBeGreaterThanOrEqualTo(8);
        units.ShouldAllBe(unit => unit.Attributes[PipelineTelemetry.RunTag] == run);
        units.ShouldAllBe(unit => unit.Service == unit.Attributes[PipelineTelemetry.StageTag]);
        system.Traces.Spans.Where(span => span.Trace == trace).ShouldContain(span => span.Service == "coordinator");
        units
            .Select(unit => unit.Attributes[PipelineTelemetry.StageTag])
            .Distinct()
            .Order()
            .ShouldBe(ParameterSections.All.Select(pair => pair.Stage).Order());
        var digests = string.Join(' ', units.Select(unit => unit.Attributes[PipelineTelemetry.ArtifactsTag]));
        system.EmbeddedDigests.Values.ShouldAllBe(digest => digests.Contains(digest, StringComparison.Ordinal));
        var tuning = units.First(unit => unit.Attributes[PipelineTelemetry.StageTag] == "fine-tuning");
        system
            .Traces.Spans.Where(span => span.Parent == tuning.Id)
            .Select(span => span.Name.Split(' ')[0])
            .Distinct()
            .Order()
            .ShouldBe(["checkpoint", "steps"]);
        await ShouldHaveCorrelatedLogsAsync(trace, tuning);

        // What was shown and forgotten leaves no trace, neither of its own nor in the run's.
        system.Traces.Spans.ShouldNotContain(span =>
            span.Name.Contains("watch", StringComparison.Ordinal) || span.Name.Contains("UnitProgress", StringComparison.Ordinal)
        );
        (await Command.RunAsync(TinyDemo.Arguments(system.Data), environment: system.Environment)).Code.ShouldBe(0);
        await system.ShouldHaveMetricsAsync(
            new Dictionary<string, string>
            {
                ["clipsae.items"] = "{item}",
                ["clipsae.queue.wait"] = "s",
                ["clipsae.stage.duration"] = "s",
                ["clipsae.units"] = "{unit}",
                ["clipsae.cache.hits"] = "{unit}",
                ["clipsae.progress.value"] = "",
                ["clipsae.device.memory"] = "By",
                ["clipsae.checkpoint.age"] = "s",
                ["messaging.masstransit.receive"] = "",
            }
        );
        await ExportAsync(trace);
    }

    [Fact]
    public async Task Alerts_and_dashboards_ask_the_broker_for_what_it_tells()
    {
        var told = await system.Broker.MetricsAsync();
        var files = Directory
            .GetFiles(SolutionFolder.At("infra", "observability"), "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".yaml" or ".json");
        string[] asked =
        [
            .. files
                .SelectMany(file => BrokerMetric().Matches(File.ReadAllText(file)))
                .Select(match => match.Value)
                .Distinct(StringComparer.Ordinal),
        ];

        asked.ShouldNotBeEmpty();
        asked.ShouldAllBe(name => told.Contains($"\n{name}{{", StringComparison.Ordinal));
    }

    [GeneratedRegex("rabbitmq_detailed_[a-z_]+")]
    private static partial Regex BrokerMetric();

    /// <summary>What a worker writes about a unit is found from the unit's trace.</summary>
    private async Task ShouldHaveCorrelatedLogsAsync(string trace, TraceCollector.Span unit)
    {
        var text = $"{unit.Attributes[PipelineTelemetry.RunTag]}: fine-tuning/{unit.Attributes[PipelineTelemetry.UnitTag]} begins";
        for (var look = 0; look < 150 && !system.Traces.Logs.Any(line => line.Text == text); look++)
        {
            await Task.Delay(200);
        }

        system.Traces.Logs.First(line => line.Text == text).Trace.ShouldBe(trace);
    }

    /// <summary>Leaves the collected trace as JSON where CLIPSAE_TRACE says, for pictures.</summary>
    private async Task ExportAsync(string trace)
    {
        if (System.Environment.GetEnvironmentVariable("CLIPSAE_TRACE") is { Length: > 0 } path)
        {
            var spans = system.Traces.Spans.Where(span => span.Trace == trace).DistinctBy(span => span.Id).OrderBy(span => span.Start);
            await File.WriteAllTextAsync(path, JsonSerializer.Serialize(spans, JsonSerializerOptions.Web));
        }
    }

    private TraceCollector.Span? Submission(string run) =>
        system.Traces.Spans.FirstOrDefault(span =>
            span.Name == "submit" && span.Attributes.GetValueOrDefault(PipelineTelemetry.RunTag) == run
        );

    /// <summary>Stages without a span below the run's submission; processes send their spans every few seconds.</summary>
    private async Task<IReadOnlyList<string>> MissingAsync(string run)
    {
        string[] missing = [.. ParameterSections.All.Select(pair => pair.Stage)];
        for (var look = 0; look < 150 && missing.Length > 0; look++)
        {
            await Task.Delay(200);
            var spans = system.Traces.Spans;
            if (Submission(run) is not { } root)
            {
                continue;
            }

            root.Parent.ShouldBeEmpty();
            var byId = spans.Where(span => span.Trace == root.Trace).DistinctBy(span => span.Id).ToDictionary(span => span.Id);
            missing =
            [
                .. ParameterSections
                    .All.Select(pair => pair.Stage)
                    .Where(stage =>
                        !byId.Values.Any(span => span.Name.StartsWith(stage + " ", StringComparison.Ordinal) && IsBelow(span, root, byId))
                    ),
            ];
        }

        return missing;
    }

    private static bool IsBelow(TraceCollector.Span span, TraceCollector.Span root, Dictionary<string, TraceCollector.Span> byId)
    {
        while (span.Id != root.Id)
        {
            if (!byId.TryGetValue(span.Parent, out var parent))
            {
                return false;
            }

            span = parent;
        }

        return true;
    }
}
