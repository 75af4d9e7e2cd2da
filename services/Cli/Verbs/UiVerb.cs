using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using ClipSae.Hosting.Service;
using ClipSae.Web;
using ClipSae.Web.Security;

namespace ClipSae.Cli.Verbs;

/// <summary>Shows runs in a browser.</summary>
internal sealed class UiVerb : Verb
{
    /// <summary>Holds the token for scripts and for services behind a proxy.</summary>
    public const string TokenVariable = "CLIPSAE_UI_TOKEN";

    private readonly ValueOption<int> _port = new("--port", "PORT", "Port to listen on [default: a free one]");
    private readonly ValueOption<string> _listen = new(
        "--listen",
        "ADDRESS",
        "Address to listen on; other than loopback, every request needs the token that is printed, or $" + TokenVariable,
        "127.0.0.1"
    );
    private readonly ValueOption<string[]> _names = new(
        "--host-name",
        "NAME",
        "Another host name under which browsers may open the pages, such as the machine's name"
    );
    private readonly Option<bool> _changes = new("--allow-changes")
    {
        Description = "Show buttons that cancel, retry and replay runs; without it, the pages only read",
    };

    public UiVerb()
        : base("ui", "Show runs in a browser: live progress, results, comparisons.", "clipsae ui", "clipsae ui --port 8090 --allow-changes")
    {
        Add(_port, _listen, _names, _changes);
    }

    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var listen = arguments.GetValue(_listen)!;
        var options = new WebOptions
        {
            Address =
                listen == "localhost" ? IPAddress.Loopback
                : IPAddress.TryParse(listen, out var address) ? address
                : throw new WrongUseException(
                    $"--listen {listen}: must be an IP address, for example 127.0.0.1, or 0.0.0.0 for every address of the machine"
                ),
            Port = arguments.GetValue(_port),
            HostNames = arguments.GetValue(_names) ?? [],
            Token = session.Environment(TokenVariable),
            AllowChanges = arguments.GetValue(_changes),
        };
        await using var runtime = Workplace.Open(session);
        if (runtime is DistributedRuntime)
        {
            await runtime.ConnectAsync(cancel);
        }

        await using var server = await WebServer.StartAsync(runtime, options, session.DataFolder, session.Time, cancel);
        session.Answer(new JsonObject { ["url"] = server.Open.AbsoluteUri, ["data"] = session.DataFolder }, console =>
            console.WriteUnfolded($"{server.Open.AbsoluteUri}  (runs of {session.DataFolder}; Ctrl+C stops)")
        );
        await StoppedAsync(cancel);
        return ExitCode.Done;
    }

    private static async Task StoppedAsync(CancellationToken cancel)
    {
        var stopped = new TaskCompletionSource();
        await using var _ = cancel.Register(stopped.SetResult);
        await stopped.Task;
    }
}
