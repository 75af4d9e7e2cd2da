using System.Diagnostics;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

/// <summary>One undisturbed demo that the tests of a class compare with.</summary>
public sealed class DemoRun : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    internal CommandResult Result { get; private set; } = null!;

    internal string Data => _folder.File("data");

    internal string Run => Result.Json["runId"]!.GetValue<string>();

    internal TimeSpan Took { get; private set; }

    internal SortedDictionary<string, string> Digests { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        var watch = Stopwatch.StartNew();
        Result = await Command.RunAsync(TinyDemo.Arguments(Data));
        Took = watch.Elapsed;
        Result.Code.ShouldBe(0, Result.Error);
        Digests = await TinyDemo.DigestsAsync(Data, Run);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
