using ClipSae.TestKit.Sources;

namespace ClipSae.Architecture.Tests;

/// <summary>What a run is and what comes next is a function of its events: it can be tried without a store, a log or a clock.</summary>
public class PureCoreTests
{
    private static readonly string[] Outside = ["ClipSae.Artifacts", "ClipSae.Pipeline.Events", "Task", "TimeProvider", "ILogger"];

    [Fact]
    public void The_fold_and_what_follows_from_it_know_neither_store_nor_log()
    {
        var sources = Solution.Sources(Path.Combine("shared", "Pipeline", "Runs")).ToArray();

        sources.Select(Path.GetFileName).ShouldContain("RunDecisions.cs");
        sources
            .SelectMany(path =>
                Outside.Where(name => File.ReadAllText(path).Contains(name, StringComparison.Ordinal)).Select(name => $"{path}: {name}")
            )
            .ShouldBeEmpty();
    }
}
