using System.Text.Json.Nodes;
using ClipSae.Results.Tuning;

namespace ClipSae.Results.Tests;

/// <summary>
/// Results of a small run of 27 November 2026, lists cut to two members, from before formats had names: they stay readable, and what is
/// written of them is what was written then.
/// </summary>
public sealed class StoredResultTests
{
    [Fact]
    public void Earlier_artifacts_are_read_and_would_be_written_byte_for_byte()
    {
        IsWrittenAgain(ResultFormats.ShardImages);
        IsWrittenAgain(ResultFormats.Statistics);
        IsWrittenAgain(ResultFormats.Salient);
        IsWrittenAgain(ResultFormats.Curves);
        IsWrittenAgain(ResultFormats.Proof);
        IsWrittenAgain(ResultFormats.Evaluation);
        IsWrittenAgain(ResultFormats.Examples);
    }

    [Fact]
    public void Earlier_figures_are_read_with_every_member()
    {
        HasEveryMember(ResultFormats.ExtractionMetrics);
        HasEveryMember(ResultFormats.AutoencoderMetrics);
        HasEveryMember(ResultFormats.CurationMetrics);
        HasEveryMember(ResultFormats.TuningMetrics);
        HasEveryMember(ResultFormats.EvaluationMetrics);
    }

    [Fact]
    public void The_checkpoint_of_a_training_keeps_what_the_curves_have_without_their_arm()
    {
        var curves = ResultFormats.Curves.Read(Stored(ResultFormats.Curves), "curves");
        var kept = ResultFormats.TrainingHistory.ToJson(curves);

        new TuningCurves(ResultFormats.TrainingHistory.Read(kept, "checkpoint"), curves.Arm, curves.Seed).Best.ShouldBe(curves.Best);
        kept.ContainsKey("arm").ShouldBeFalse();
    }

    private static void IsWrittenAgain<T>(ResultFormat<T> format)
        where T : class
    {
        var stored = Stored(format);

        format.Write(format.Read(stored, format.Name)).ShouldBe(stored, format.Name);
    }

    private static void HasEveryMember<T>(ResultFormat<T> format)
        where T : class
    {
        var stored = JsonNode.Parse(Stored(format))!.AsObject();

        JsonNode.DeepEquals(format.ToJson(format.Read(stored, format.Name)), stored).ShouldBeTrue(format.Name);
    }

    private static byte[] Stored(IResultFormat format) =>
        File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "stored", format.Name.Split('/')[0] + ".json"));
}
