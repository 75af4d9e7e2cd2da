using ClipSae.Pages;
using ClipSae.Reporting.Data;
using ClipSae.Results.Evaluation;

namespace ClipSae.Reporting.Sections;

/// <summary>What changed about the text tower, for whoever takes it into an image generator.</summary>
internal static class TextStates
{
    /// <summary>Rounding of weights that went through Geometric Parametrization and back moves states by less.</summary>
    private const double Rounding = 1e-5;

    public static Section? Render(ReportData data)
    {
        if (
            EvaluationView.Of(data) is not { } view
            || (view.Tuned ?? view.Models.Skip(1).FirstOrDefault()) is not { TextStates: { Count: > 0 } states } model
        )
        {
            return null;
        }

        return states.All(IsUnchanged)
            ? new Section("text-states", "Text tower", Html.Of($"Text tower of <b>{model.Name}</b>: unchanged."), Html.Empty)
            : new Section(
                "text-states",
                "Text tower",
                Html.Of(
                    $"Hidden states of <b>{model.Name}</b> against the base’s on prompts for image generators, which take them: "
                        + $"a cosine of 1 and a ratio of 1 mean no change. "
                        + $"<code>clipsae transplant</code> puts the tower into a generator."
                ),
                Html.Wide(
                    "Change of the text tower’s hidden states",
                    Html.Of($"<table class=\"compact\">{HiddenStateTable.Rows(states)}</table>")
                )
            );
    }

    private static bool IsUnchanged(TextStateChange state) =>
        state.MinCosine > 1 - Rounding && Math.Abs(state.MeanNormRatio - 1) < Rounding;
}
