using ClipSae.Pipeline;

namespace ClipSae.Distributed;

public sealed class TraceTests(DistributedSystem system)
{
    [Fact]
    public async Task A_run_is_one_tree_of_spans_with_every_stage_below_its_submission()
    {
        var before = Submissions().Select(span => span.Id).ToHashSet();
        using var client = await system.StartAfreshAsync();
        (await client.EndAsync()).Code.ShouldBe(0, client.Error);

        var missing = await MissingAsync(before);

        missing.ShouldBeEmpty(string.Join('\n', system.Traces.Spans.Where(span => !span.Name.Contains("UnitProgress", StringComparison.Ordinal)).Select(span => span.ToString()).Take(200)));
    }

    private IEnumerable<TraceCollector.Span> Submissions() => system.Traces.Spans.Where(span => span.Name == "submit");

    /// <summary>Stages without a span below the new submission; processes send their spans every few seconds.</summary>
    private async Task<IReadOnlyList<string>> MissingAsync(HashSet<string> before)
    {
        string[] missing = [.. ParameterSections.All.Select(pair => pair.Stage)];
        for (var look = 0; look < 150 && missing.Length > 0; look++)
        {
            await Task.Delay(200);
            var spans = system.Traces.Spans;
            if (Submissions().FirstOrDefault(span => !before.Contains(span.Id)) is not { } root)
            {
                continue;
            }

            root.Parent.ShouldBeEmpty();
            var byId = spans.Where(span => span.Trace == root.Trace).DistinctBy(span => span.Id).ToDictionary(span => span.Id);
            missing = [.. ParameterSections.All.Select(pair => pair.Stage)
                .Where(stage => !byId.Values.Any(span => span.Name.StartsWith(stage + " ", StringComparison.Ordinal) && IsBelow(span, root, byId)))];
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
