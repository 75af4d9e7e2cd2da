using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Statistics;

namespace ClipSae.ZeroShotEvaluation.Scores;

/// <summary>Means of models over their arms' seeds.</summary>
internal static class ArmMeans
{
    /// <summary>Gathers models by arm, in ordinal order.</summary>
    public static IReadOnlyList<ArmScores> Of(IEnumerable<ModelScores> models) =>
        [
            .. models
                .Where(model => model.Arm is not null)
                .GroupBy(model => model.Arm!, StringComparer.Ordinal)
                .OrderBy(arm => arm.Key, StringComparer.Ordinal)
                .Select(Of),
        ];

    private static ArmScores Of(IGrouping<string, ModelScores> arm)
    {
        ModelScores[] models = [.. arm];
        var sets = models[0]
            .Sets.Keys.ToDictionary(set => set, set => Of([.. models.Select(model => model.Sets[set])]), StringComparer.Ordinal);
        var validation = models.Any(model => model.Validation is null) ? null : models.Average(model => model.Validation);
        return new ArmScores(arm.Key, ArmName.IsControl(arm.Key), [.. models.Select(model => model.Seed ?? 0)], validation, sets);
    }

    private static ArmSetScores Of(SetScores[] seeds)
    {
        Interval? Over(Func<SetScores, Interval?> metric) =>
            metric(seeds[0]) is null ? null : SeedInterval.Of([.. seeds.Select(seed => metric(seed)!)]);
        return new ArmSetScores(
            Over(seed => seed.Accuracy)!,
            Over(seed => seed.AttackSuccess),
            Over(seed => seed.BinaryAccuracy),
            Contrast([.. seeds.Select(seed => seed.AgainstControl).OfType<Comparison>()])
        );
    }

    private static ArmContrast? Contrast(Comparison[] seeds)
    {
        if (seeds.Length == 0)
        {
            return null;
        }

        var attackSuccess = seeds[0].AttackSuccess is null ? null : SeedInterval.Of([.. seeds.Select(seed => seed.AttackSuccess!)]);
        return new ArmContrast(
            seeds.Length,
            SeedInterval.Of([.. seeds.Select(seed => seed.Accuracy)]),
            attackSuccess,
            seeds.Length == 1 ? seeds[0].McNemar : null
        );
    }
}
