using ClipSae.Pipeline.Events;

namespace ClipSae.Pipeline.Tests;

public class RunNameTests
{
    [Fact]
    public void Names_of_runs_that_begin_in_one_second_differ_and_tell_their_time()
    {
        string[] names = [.. Enumerable.Range(0, 10_000).Select(_ => RunName.New(TimeProvider.System))];

        // With 16 random bits some of so many would be equal for certain, with 48 bits one time in five million.
        names.ShouldBeUnique();
        names.ShouldAllBe(name => RunName.TellsTime(name));
    }

    [Theory]
    [InlineData("20261124-091500-1f0c", true)]
    [InlineData("20261124-091500-1f0c5a7be914", true)]
    [InlineData("20261124-091500-1f0c5a7b", false)]
    [InlineData("event-20261124-091500-1f0c", false)]
    public void Names_of_earlier_versions_tell_their_time_too(string name, bool tells) => RunName.TellsTime(name).ShouldBe(tells);
}
