using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Reporting;

/// <summary>Presents a run as one HTML file (output <c>report</c>). It reads the run's events, so it is made again each time.</summary>
public sealed class ReportStage : IStage
{
    public string Name => ParameterSections.Report;

    public int AlgorithmVersion => 2;

    public bool Cacheable => false;

    public JsonObject Normalize(JsonObject parameters) =>
        StageParameters.Normalize<ReportOptions>(parameters, Name, options => options.Validate());

    public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
    {
        var data = await new ReportGathering(context, context.Options<ReportOptions>()).GatherAsync(cancel);
        var page = Encoding.UTF8.GetBytes(ReportPage.Render(data));
        var report = await context.Artifacts.PutBytesAsync(page, "report.html", "text/html", cancel);
        return new StageResult(
            new Dictionary<string, ArtifactRef> { [OutputNames.Report] = report },
            new JsonObject { ["bytes"] = page.Length }
        );
    }
}
