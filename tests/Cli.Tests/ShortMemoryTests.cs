using System.Text.RegularExpressions;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Service;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Cli.Tests;

/// <summary>What stages advise where a device's memory is short.</summary>
public partial class ShortMemoryTests
{
    [Fact]
    public void Every_parameter_that_is_named_exists()
    {
        var services = new ServiceCollection().AddSingleton(TimeProvider.System);
        StageCatalogue.AddAll(services);
        using var provider = services.BuildServiceProvider();
        var stages = provider.GetServices<IStage>().ToArray();
        var defaults = stages
            .Where(stage => stage.Name is not "report")
            .ToDictionary(stage => ParameterSections.SectionOf(stage.Name), stage => stage.Normalize([]));

        var named = stages.SelectMany(stage => Parameter().Matches(stage.WhenMemoryIsShort)).Select(match => match.Value).ToArray();

        named.Length.ShouldBeGreaterThan(5);
        named.ShouldAllBe(name => defaults[name.Split('.', 2)[0]].ContainsKey(name.Split('.', 2)[1]));
    }

    [GeneratedRegex(@"\b[a-z]+\.[a-zA-Z]+\b")]
    private static partial Regex Parameter();
}
