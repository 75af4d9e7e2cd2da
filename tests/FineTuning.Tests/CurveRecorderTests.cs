using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Validation;
using ClipSae.Results;
using ClipSae.Results.Tuning;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class CurveRecorderTests
{
    private static readonly FineTuningOptions Options = new() { CleanLossCost = 5 };

    [Fact]
    public void The_best_step_wins_attacked_accuracy_without_losing_clean()
    {
        var curves = new CurveRecorder();
        curves.AddValidation(0, new ValidationScores(0.90, 0.10), Options);
        curves.BestStep.ShouldBe(-1);
        curves.AddValidation(10, new ValidationScores(0.90, 0.50), Options);
        curves.BestStep.ShouldBe(10);
        // .70 − 5·.05 = .45: five points of clean accuracy are not worth twenty of attacked.
        curves.AddValidation(20, new ValidationScores(0.85, 0.70), Options);
        curves.BestStep.ShouldBe(10);
        // .60 − 5·.01 = .55.
        curves.AddValidation(30, new ValidationScores(0.89, 0.60), Options);
        curves.BestStep.ShouldBe(30);
        curves.BestScore.ShouldBe(0.55, 1e-9);
        // More clean accuracy than the base's is worth nothing.
        curves.AddValidation(40, new ValidationScores(1, 0.54), Options);
        curves.Best!.Step.ShouldBe(30);
    }

    [Theory]
    [InlineData(0.9, 0.1, true)]
    [InlineData(0.2, 0.9, true)]
    [InlineData(0.9, 0.11, false)]
    public void The_base_is_beaten_only_by_a_higher_score(double clean, double attacked, bool isBeatenByBase)
    {
        var curves = new CurveRecorder();
        curves.AddValidation(0, new ValidationScores(0.90, 0.10), Options);
        curves.AddValidation(10, new ValidationScores(clean, attacked), Options);

        curves.IsBeatenByBase.ShouldBe(isBeatenByBase);
    }

    [Fact]
    public void A_mixture_takes_the_best_steps_place_where_it_scores_higher_alone()
    {
        var curves = new CurveRecorder();
        curves.AddValidation(0, new ValidationScores(0.9, 0), Options);
        curves.AddValidation(10, new ValidationScores(0.8, 0.8), Options); // .8 − 5·.1 = .3

        curves.AddInterpolation(0.75, new ValidationScores(0.8, 0.8), Options).ShouldBeFalse();
        curves.Alpha.ShouldBe(1);
        curves.AddInterpolation(0.5, new ValidationScores(0.9, 0.7), Options).ShouldBeTrue();
        curves.AddInterpolation(0.25, new ValidationScores(0.9, 0.6), Options).ShouldBeFalse();

        curves.Alpha.ShouldBe(0.5);
        (curves.Best!.Step, curves.Best.Alpha, curves.Best.Score).ShouldBe((10, 0.5, 0.7));
    }

    [Fact]
    public void Reading_lost_costs_what_the_option_says_and_reading_gained_costs_nothing()
    {
        var curves = new CurveRecorder();
        var options = Options with { ReadingCost = 0.5 };
        curves.AddValidation(0, new ValidationScores(0.9, 0, 0.8), options);
        curves.AddValidation(10, new ValidationScores(0.9, 0.6, 0.9), options);
        curves.AddValidation(20, new ValidationScores(0.9, 0.8, 0.2), options); // .8 − .5·.6 = .5
        curves.AddInterpolation(0.5, new ValidationScores(0.9, 0.7, 0.7), options).ShouldBeTrue(); // .7 − .5·.1 = .65

        curves.BestStep.ShouldBe(10);
        curves.Best.ShouldBe(new TuningValidation(10, 0.9, 0.7, 0.65) { Alpha = 0.5, Reading = 0.7 });
    }

    [Fact]
    public void A_collapsed_step_is_never_the_best()
    {
        var curves = new CurveRecorder();
        curves.AddValidation(0, new ValidationScores(0.9, 0), Options);
        curves.AddValidation(10, new ValidationScores(0.9, 0.1), Options);
        curves.AddValidation(20, new ValidationScores(0.9, 0.9), Options, isSound: false);

        curves.BestStep.ShouldBe(10);
    }

    [Fact]
    public void Equal_scores_go_to_the_earlier_step()
    {
        var curves = new CurveRecorder();
        curves.AddValidation(0, new ValidationScores(1, 0), Options);
        curves.AddValidation(10, new ValidationScores(1, 1 / 3.0), Options);
        curves.AddValidation(20, new ValidationScores(1, 1 / 3.0), Options);

        curves.BestStep.ShouldBe(10);
    }

    // A third has no end in decimals: what is kept is rounded, and the decision must not depend on it.
    [Fact]
    public void Equal_scores_go_to_the_earlier_step_after_a_resume_too()
    {
        var curves = new CurveRecorder();
        curves.AddValidation(0, new ValidationScores(1, 0), Options);
        curves.AddValidation(10, new ValidationScores(1, 1 / 3.0), Options);
        var resumed = Resumed(curves);
        resumed.AddValidation(20, new ValidationScores(1, 1 / 3.0), Options);

        resumed.BestStep.ShouldBe(10);
    }

    [Fact]
    public void Figures_of_several_steps_are_read_at_once_and_the_first_loss_that_is_no_number_is_told()
    {
        using var scope = NewDisposeScope();
        var curves = new CurveRecorder();
        curves.AddStep(1, new StepLosses(tensor(2.5f), tensor(1.25f), tensor(3f), null), tensor(0.75f), 0.1);
        curves.AddStep(2, new StepLosses(tensor(float.NaN), tensor(1f), null, tensor(0.5f)), tensor(0.25f), 0.2);
        curves.AddStep(3, new StepLosses(tensor(float.PositiveInfinity), tensor(1f), null, null), tensor(0.25f), 0.2);
        curves.Pending.ShouldBe(3);

        curves.ReadPending().ShouldBe(2);

        curves.Pending.ShouldBe(0);
        var steps = curves.History.Steps;
        steps[0].ShouldBe(new StepMetrics(1, 2.5, 1.25, 3, null, 0.75, 0.1));
        steps[1].ShouldBe(new StepMetrics(2, null, 1, null, 0.5, 0.25, 0.2));
        steps.Count.ShouldBe(3);
    }

    [Fact]
    public void They_come_back_from_JSON_as_they_were()
    {
        using var scope = NewDisposeScope();
        var curves = new CurveRecorder();
        curves.AddValidation(0, new ValidationScores(0.9, 0.1), Options);
        curves.AddDrift(0, 0, 0);
        curves.AddStep(1, new StepLosses(tensor(2.5f), tensor(1.25f), tensor(3f), null), tensor(0.75f), 0.1);
        curves.ReadPending().ShouldBeNull();
        curves.AddValidation(1, new ValidationScores(0.88, 0.7), Options);
        curves.AddDrift(1, 0.01, 0.002);
        var resumed = Resumed(curves);

        ResultFormats.TrainingHistory.Write(resumed.History).ShouldBe(ResultFormats.TrainingHistory.Write(curves.History));
        (resumed.BestStep, resumed.BestScore, resumed.LastLoss).ShouldBe((curves.BestStep, curves.BestScore, curves.LastLoss));
        resumed.History.Steps[0].ShouldBe(new StepMetrics(1, 2.5, 1.25, 3, null, 0.75, 0.1));
    }

    [Fact]
    public void Before_the_first_validation_there_is_no_best()
    {
        var resumed = Resumed(new CurveRecorder());

        resumed.Best.ShouldBeNull();
        resumed.BestStep.ShouldBe(-1);
    }

    private static CurveRecorder Resumed(CurveRecorder curves)
    {
        var resumed = new CurveRecorder();
        resumed.Load(ResultFormats.TrainingHistory.Read(ResultFormats.TrainingHistory.ToJson(curves.History), "checkpoint"));
        return resumed;
    }
}
