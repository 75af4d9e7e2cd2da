using ClipSae.FineTuning.Arms;

namespace ClipSae.FineTuning.Tests;

public sealed class SalientPartsTests
{
    [Fact]
    public void An_informed_arm_takes_what_curation_found()
    {
        var parts = TuningSetup.Parts("amplify");

        parts.Hook.ToString().ShouldBe("mlp@0");
        parts.Features.ShouldBe([1, 2, 3]);
        parts.Neurons[0].ShouldBe([3, 17, 40]);
        parts.Neurons[1].ShouldBe([5, 200]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(77)]
    public void A_random_arm_uses_as_many_neurons_of_the_same_layers_and_none_of_the_salient(long seed)
    {
        var (informed, random) = (TuningSetup.Parts("amplify"), TuningSetup.Parts("amplify-random", seed));

        random.Neurons.Keys.Order().ShouldBe([0, 1]);
        foreach (var (layer, neurons) in random.Neurons)
        {
            neurons.Distinct().Count().ShouldBe(informed.Neurons[layer].Length);
            neurons.Intersect(informed.Neurons[layer]).ShouldBeEmpty();
            neurons.ShouldAllBe(neuron => neuron >= 0 && neuron < 256);
        }
    }

    [Fact]
    public void A_random_arm_follows_from_its_seed()
    {
        TuningSetup.Parts("amplify-random", 4).Neurons[0].ShouldBe(TuningSetup.Parts("amplify-random", 4).Neurons[0]);
        TuningSetup.Parts("amplify-random", 4).Neurons[0].ShouldNotBe(TuningSetup.Parts("amplify-random", 5).Neurons[0]);
    }

    [Theory]
    [InlineData(0, new[] { 4, 5, 6 })]
    [InlineData(1, new[] { 7, 8, 9 })]
    [InlineData(2, new[] { 4, 5, 6 })]
    [InlineData(-1, new[] { 7, 8, 9 })]
    public void Random_features_take_curations_draws_in_turn(long seed, int[] features) =>
        TuningSetup.Parts("penalise-random", seed).Features.ShouldBe(features);

    [Fact]
    public void The_other_features_are_all_but_the_chosen_ones() => TuningSetup.Parts("keep-features").Others(6).ShouldBe([0, 4, 5]);

    [Fact]
    public void Of_very_many_other_features_a_part_is_drawn()
    {
        var others = TuningSetup.Parts("keep-features").Others(100_000);

        others.Count.ShouldBe(SalientParts.MaxOthers);
        others.Distinct().Count().ShouldBe(others.Count);
        others.ShouldBe(TuningSetup.Parts("keep-features").Others(100_000));
    }

    [Theory]
    [InlineData("none", false)]
    [InlineData("suppress", false)]
    [InlineData("penalise-only", false)]
    [InlineData("penalise-only-random", true)]
    [InlineData("distil", false)]
    [InlineData("distil+keep-features", false)]
    [InlineData("distil+keep-features-random", true)]
    [InlineData("penalise@50", false)]
    [InlineData("penalise@0.3-random", true)]
    [InlineData("amplify@6", false)]
    [InlineData("distil@2+keep-features@10", false)]
    public void Arms_have_names(string name, bool random)
    {
        var arm = TuningArm.Parse(name);

        arm.Name.ShouldBe(name);
        arm.IsRandom.ShouldBe(random);
    }

    [Theory]
    [InlineData("none-random")]
    [InlineData("distil-random")]
    [InlineData("distil+louder")]
    [InlineData("amplify-randomly")]
    [InlineData("")]
    public void Other_names_are_refused(string name) =>
        Should
            .Throw<UserErrorException>(() => TuningArm.Parse(name))
            .Message.ShouldStartWith($"tuning.arms: '{name}' is not an arm; use none, amplify");

    [Theory]
    [InlineData("none@2", "takes no weight; write none")]
    [InlineData("heads@2-random", "takes no weight; write heads")]
    [InlineData("penalise@", "'penalise@': expected a weight of 0 or more")]
    [InlineData("penalise@much", "expected a weight of 0 or more")]
    [InlineData("penalise@-1", "expected a weight of 0 or more")]
    [InlineData("penalise@NaN", "expected a weight of 0 or more")]
    [InlineData("penalise@∞", "expected a weight of 0 or more")]
    [InlineData("penalise@50.0", "in its shortest form")]
    [InlineData("penalise@ 50", "in its shortest form")]
    [InlineData("distil+keep-reading@1,5", "expected a weight of 0 or more")]
    [InlineData("amplify@1", "expected a factor above 1")]
    [InlineData("suppress@1", "expected a factor from 0 to below 1")]
    public void Impossible_weights_are_refused(string name, string why) =>
        Should.Throw<UserErrorException>(() => TuningArm.Parse(name)).Message.ShouldContain(why);

    [Theory]
    [InlineData("none+distil", "names none")]
    [InlineData("amplify+suppress", "in two ways")]
    [InlineData("penalise+penalise-only", "in two ways")]
    [InlineData("distil+distil", "in two ways")]
    [InlineData("penalise@1+penalise@2", "in two ways")]
    public void Combinations_that_make_no_sense_are_refused(string name, string why) =>
        Should.Throw<UserErrorException>(() => TuningArm.Parse(name)).Message.ShouldContain(why);

    [Fact]
    public void A_combination_asks_for_what_its_parts_ask_for()
    {
        var arm = TuningArm.Parse("distil+penalise");

        (arm.UsesCaptions, arm.CaptionsAttacks, arm.ReadsFeatures, arm.NeedsControls, arm.NeedsSources, arm.NeedsBase).ShouldBe(
            (false, false, true, true, true, true)
        );
        TuningArm.Parse("distil+penalise").ShouldBe(arm);
        TuningArm.Parse("distil+penalise-random").ShouldNotBe(arm);
    }
}
