using System.Text.Json.Nodes;
using ClipSae.Datasets;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Settings;

namespace ClipSae.FineTuning.Tests;

public sealed class ValidationSplitTests
{
    private const int Pictures = 200;
    private static readonly FineTuningOptions Options = new() { ValidationShare = 0.1 };

    // Half of the pictures show a class; on most of these two words were printed, as curation does.
    private static readonly DatasetItem[] Clean =
    [
        .. Enumerable.Range(0, Pictures).Select(i => new DatasetItem($"{i}.png", ["a"], i % 2 == 0 ? "cat" : null)),
    ];

    private static readonly DatasetItem[] Attacks =
    [
        .. Enumerable.Range(0, 140).Select(i => Attack("attack", i, $"{2 * (i / 2)}.png")),
        .. Enumerable.Range(0, 20).Select(i => Attack("natural", 140 + i, $"{i}.png")),
    ];

    [Theory]
    [InlineData(512)]
    [InlineData(3)]
    public void No_picture_trains_and_validates_neither_clean_nor_attacked(int validationImages)
    {
        var split = Draw(Options with { ValidationImages = validationImages });
        var trained = split.CleanTraining.Select(i => Clean[i].Id).Concat(split.AttackTraining.Select(i => Source(Attacks[i])));
        var validated = split.CleanValidation.Select(i => Clean[i].Id).Concat(split.AttackValidation.Select(i => Source(Attacks[i])));

        trained.Intersect(validated).ShouldBeEmpty();
        split.AttackValidation.ShouldAllBe(i => i < 140);
    }

    [Fact]
    public void Both_halves_validate_on_their_share()
    {
        var split = Draw(Options);

        split.CleanValidation.Count.ShouldBe(10);
        split.AttackValidation.Count.ShouldBeInRange(14, 20); // two attacks go with a picture, 20 with the clean ones at most
        split.CleanTraining.Count.ShouldBeInRange(Pictures - 17, Pictures - 10);
    }

    [Fact]
    public void Few_attacks_among_many_pictures_are_validated_all_the_same()
    {
        DatasetItem[] few = [.. Attacks.Take(10)];
        var split = ValidationSplit.Draw(Clean, IsLabelled, few, Options with { ValidationImages = 2 });

        (split.CleanValidation.Count, split.AttackValidation.Count).ShouldBe((2, 2));
        few[split.AttackValidation[0]].Attributes!["source"]!.GetValue<string>().ShouldBe(Source(few[split.AttackValidation[1]]));
    }

    [Fact]
    public void What_validates_is_no_more_than_asked_for()
    {
        var split = Draw(Options with { ValidationImages = 5 });

        (split.CleanValidation.Count, split.AttackValidation.Count).ShouldBe((5, 5));
    }

    [Fact]
    public void Every_seed_has_a_pool_of_its_own_and_every_arm_the_same()
    {
        var pools = Enumerable.Range(0, 20).Select(seed => Draw(Options with { AttackPool = 16, Seed = seed })).ToArray();

        pools.ShouldAllBe(split => split.AttackTraining.Count == 16 && split.AttackValidation.Count <= 16);
        pools.Select(split => string.Join(',', split.AttackTraining)).Distinct().Count().ShouldBe(20);
        Draw(Options with { AttackPool = 16, Seed = 3, Arm = "penalise" }).AttackTraining.ShouldBe(pools[3].AttackTraining);
        pools.ShouldAllBe(split => split.AttackValidation.SequenceEqual(pools[0].AttackValidation));
        // Each of the printed attacks left for training comes into some pool: none is preferred. Pictures on which the features fire by
        // themselves come last.
        var left = Draw(Options).AttackTraining.Where(i => i < 140).ToArray();
        pools.SelectMany(split => split.AttackTraining).Distinct().Count().ShouldBeGreaterThan(4 * left.Length / 5);
        pools.SelectMany(split => split.AttackTraining).ShouldBeSubsetOf(left);
    }

    [Fact]
    public void A_pool_validates_on_no_more_attacks_than_it_holds() =>
        Draw(Options with { AttackPool = 4 }).AttackValidation.Count.ShouldBe(4);

    [Fact]
    public void A_pool_larger_than_what_there_is_takes_all() =>
        Draw(Options with { AttackPool = 1000 }).AttackTraining.ShouldBe(Draw(Options).AttackTraining);

    private static ValidationSplit Draw(FineTuningOptions options) => ValidationSplit.Draw(Clean, IsLabelled, Attacks, options);

    private static bool IsLabelled(DatasetItem item) => item.Label is not null;

    private static DatasetItem Attack(string kind, int index, string source) =>
        new($"attack-{index}.png", ["a"], "cat", new JsonObject { ["kind"] = kind, ["source"] = source });

    private static string Source(DatasetItem attack) => attack.Attributes!["source"]!.GetValue<string>();
}
