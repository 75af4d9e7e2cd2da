using ClipSae.FineTuning.Training;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class GeometricDriftTests
{
    [Fact]
    public void Drift_is_the_way_moved_over_the_size_at_the_start()
    {
        using var noGrad = no_grad();
        using var model = TuningSetup.Model();
        using var drift = new GeometricDrift(model);
        drift.Measure(model).ShouldBe((0, 0));
        foreach (var (name, parameter) in model.named_parameters())
        {
            parameter.mul_(
                name.EndsWith(".theta", StringComparison.Ordinal) ? 1.25
                : name.EndsWith(".r", StringComparison.Ordinal) ? 0.5
                : 3
            );
        }

        var (theta, radius) = drift.Measure(model);
        theta.ShouldBe(0.25, 1e-6);
        radius.ShouldBe(0.5, 1e-6);
    }
}
