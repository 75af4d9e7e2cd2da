using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Validation;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class CollapseGuardTests
{
    private static readonly CollapseGuard Guard = new(0.9, new EmbeddingHealth(0.5, 20), 50, 0.1);

    [Theory]
    [InlineData(0.9, 0.5, 20, 50, null)]
    [InlineData(0.8, 0.7, 8, 100, null)] // costs something, and is no collapse
    [InlineData(0.9, 0.96, 1.9, 50, null)] // gathered by class, and none the worse
    [InlineData(0.8, 0.96, 20, 50, "point one way")]
    [InlineData(0.8, 0.5, 1.9, 50, "directions")]
    [InlineData(0.45, 0.5, 20, 50, "clean validation accuracy fell to 45.0 % (the base's 90.0 %, chance 10.0 %)")]
    [InlineData(0.9, 0.5, 20, 201, "factor on cosines")]
    [InlineData(0.9, 0.5, 20, 12, "factor on cosines")]
    public void A_collapse_is_told_from_a_cost(double clean, double cosine, double rank, double scale, string? part)
    {
        var problem = Guard.Problem(clean, new EmbeddingHealth(cosine, rank), scale);

        (problem is null).ShouldBe(part is null);
        problem?.ShouldContain(part!);
    }

    // 272 photographs, a base of 3.2 M parameters: what was measured at rates of 1e-3, 3e-4, 1e-2 and 5e-2; where the training was stopped,
    // accuracy is not known but had fallen.
    [Theory]
    [InlineData(0.582, 0.791, 5.31, false)]
    [InlineData(0.691, 0.707, 6.94, false)]
    [InlineData(0.7, 0.979, 5, true)]
    [InlineData(0.7, 0.998, 5, true)]
    public void Trainings_that_were_seen_to_collapse_are_told_from_those_that_only_cost_accuracy(
        double clean,
        double cosine,
        double rank,
        bool isCollapse
    ) =>
        (
            new CollapseGuard(0.8, new EmbeddingHealth(0.56, 8.7), 24.7, 0.1).Problem(clean, new EmbeddingHealth(cosine, rank), 24.6)
            is not null
        ).ShouldBe(isCollapse);

    [Fact]
    public void A_base_that_hardly_beats_chance_has_no_accuracy_to_lose() =>
        (Guard with { Clean = 0.15 }).Problem(0.05, new EmbeddingHealth(0.99, 1), 50).ShouldBeNull();

    [Fact]
    public void Orthogonal_embeddings_have_no_cosine_and_as_many_directions_as_centring_leaves()
    {
        using var scope = NewDisposeScope();
        // Four unit vectors less their mean span three directions alike.
        var health = EmbeddingHealth.Of(eye(4).mul(tensor(3f)));

        health.MeanCosine.ShouldBe(0, 1e-6);
        health.Rank.ShouldBe(3, 1e-4);
    }

    [Fact]
    public void Equal_embeddings_point_one_way()
    {
        using var scope = NewDisposeScope();
        var health = EmbeddingHealth.Of(ones(5, 4));

        health.MeanCosine.ShouldBe(1, 1e-6);
        health.Rank.ShouldBe(1, 1e-4);
    }
}
