using ClipSae.FineTuning.Optimization;

namespace ClipSae.FineTuning.Tests.Optimization;

public sealed class LearningRateScheduleTests
{
    // torch.optim.lr_scheduler.OneCycleLR(max_lr=3, total_steps=10, pct_start=0.3, anneal_strategy="cos") with its default factors 25 and
    // 1e4.
    [Fact]
    public void One_cycle_gives_the_rates_of_PyTorch() =>
        Factors(new LearningRateSchedule.OneCycle(3, 0.3), 10)
            .ShouldBe([0.12, 1.56, 3, 2.851453896, 2.435236962, 1.833786066, 1.166225934, 0.564775038, 0.148558104, 1.2e-5], 1e-9);

    // The same with max_lr=1, total_steps=20, pct_start=0.25: steps 0, 1, 4, 5, 10, 19.
    [Theory]
    [InlineData(0, 0.04)]
    [InlineData(1, 0.180588745)]
    [InlineData(4, 1)]
    [InlineData(5, 0.989073844)]
    [InlineData(10, 0.654509879)]
    [InlineData(19, 4e-6)]
    public void One_cycle_turns_where_the_warm_up_share_ends(int step, double factor) =>
        new LearningRateSchedule.OneCycle(1, 0.25).FactorAt(step, 20).ShouldBe(factor, 1e-9);

    [Fact]
    public void Cosine_rises_linearly_and_falls_as_half_a_cosine_to_its_floor()
    {
        var factors = Factors(new LearningRateSchedule.Cosine(4, 0.2), 12);

        factors[..4].ShouldBe([0.25, 0.5, 0.75, 1], 1e-12);
        // (1 + cos(πs/8))/2 of the way from 0.2 to 1.
        factors[4].ShouldBe(1, 1e-12);
        factors[8].ShouldBe(0.6, 1e-12);
        factors[10].ShouldBe(0.2 + (0.4 * (1 - Math.Sqrt(0.5))), 1e-12);
        new LearningRateSchedule.Cosine(4, 0.2).FactorAt(12, 12).ShouldBe(0.2, 1e-12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Trainings_of_a_few_steps_have_usable_rates(int total)
    {
        Factors(new LearningRateSchedule.OneCycle(), total).ShouldAllBe(factor => factor > 0 && factor <= 3);
        Factors(new LearningRateSchedule.Cosine(), total).ShouldAllBe(factor => factor > 0 && factor <= 1);
    }

    private static double[] Factors(LearningRateSchedule schedule, int total) =>
        [.. Enumerable.Range(0, total).Select(step => schedule.FactorAt(step, total))];
}
