using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Service;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Cli.Tests;

public class StageCatalogueTests
{
    [Fact]
    public void A_worker_of_a_stage_has_that_stage_alone()
    {
        foreach (var (_, stage) in ParameterSections.All)
        {
            var services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System);

            StageCatalogue.Find(stage)(services);

            using var provider = services.BuildServiceProvider();
            provider.GetServices<IStage>().ShouldHaveSingleItem().Name.ShouldBe(stage);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("reporting")]
    [InlineData("--once")]
    public void What_is_no_stage_is_refused_with_the_names_of_those_that_are(string name) =>
        Should.Throw<UserErrorException>(() => StageCatalogue.Find(name)).Message.ShouldContain("fine-tuning, weight-conversion");
}
