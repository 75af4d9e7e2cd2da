using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;

namespace ClipSae.TestKit.Pipelines;

/// <summary>A stage whose output is a text made of its parameters and inputs, and that counts how often it ran.</summary>
public sealed class FakeStage(string name) : IStage
{
    private int _runs;

    private sealed record Options(int Factor = 1, string Mode = "plain", IReadOnlyList<string>? Words = null, string Device = "cpu");

    public string Name => name;

    public int AlgorithmVersion { get; init; } = 1;

    public bool Cacheable { get; init; } = true;

    /// <summary>Called at the start of each run of a unit.</summary>
    public Func<StageContext, CancellationToken, Task> Act { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Lets every unit (or one of them) work until it is cancelled; done when the first has begun.</summary>
    public Task WorksWithoutEnd(string? unit = null)
    {
        var begun = new TaskCompletionSource();
        Act = async (context, cancel) =>
        {
            if (unit is null || context.Unit == unit)
            {
                begun.TrySetResult();
                await Task.Delay(Timeout.Infinite, cancel);
            }
        };
        return begun.Task;
    }

    /// <summary>What is added to the output: makes a stage that is not deterministic.</summary>
    public Func<string> Noise { get; set; } = () => "";

    public int Runs => _runs;

    public JsonObject Normalize(JsonObject parameters) => StageParameters.Normalize<Options>(parameters, name);

    public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
    {
        Interlocked.Increment(ref _runs);
        await Act(context, cancel);
        cancel.ThrowIfCancellationRequested();
        var options = context.Options<Options>();
        var text = new StringBuilder($"{name} factor {options.Factor} {string.Join(' ', options.Words ?? [])}{Noise()}\n");
        foreach (var input in context.Inputs.Keys)
        {
            text.Append(input).Append('=').Append(await File.ReadAllTextAsync(await context.FetchAsync(input, cancel), cancel));
        }

        context.Progress.Report(new StageProgress(1, 1, "texts"));
        var output = await context.Artifacts.PutBytesAsync(
            Encoding.UTF8.GetBytes(text.ToString()),
            $"{context.Unit}.txt",
            "text/plain",
            cancel
        );
        return new StageResult(new Dictionary<string, ArtifactRef> { ["text"] = output }, new JsonObject { ["length"] = text.Length });
    }
}
