using ClipSae.AttackCuration.Salience;

namespace ClipSae.AttackCuration.Tests;

public sealed class UsefulAutoencodersTests
{
    [Fact]
    public void An_autoencoder_worse_than_the_mean_ends_the_run_and_says_what_to_do()
    {
        var message = Should.Throw<UserErrorException>(() => Of(("mlp@2", -0.374)).Require(0)).Message;

        message.ShouldStartWith(
            "attack-curation: mlp@2 explains -37.4 % of the variance of its activations (less than curation.minExplained = 0 %)"
        );
        message.ShouldEndWith("To continue anyway: --set curation.minExplained=-1");
        message.ShouldNotContain('\n');
    }

    [Fact]
    public void Of_several_the_best_is_named()
    {
        Should
            .Throw<UserErrorException>(() => Of(("mlp@1", -3), ("mlp@2", -1.2)).Require(0))
            .Message.ShouldStartWith("attack-curation: mlp@2, the best of 2 autoencoders, explains -120.0 %");
    }

    [Fact]
    public void Where_some_are_of_use_the_others_are_left_out()
    {
        Of(("mlp@1", -0.1), ("mlp@2", 0.6), ("cls@3", 0)).Require(0).ShouldBe(["mlp@2", "cls@3"]);
    }

    [Fact]
    public void The_floor_that_the_message_names_and_missing_statistics_continue()
    {
        Of(("mlp@2", -0.374)).Require(-1).ShouldBe(["mlp@2"]);
        Of(("mlp@2", null)).Require(0).ShouldBe(["mlp@2"]);
    }

    private static UsefulAutoencoders Of(params (string Name, double? Explained)[] explained) => new(explained);
}
