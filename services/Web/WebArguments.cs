using System.Globalization;
using System.Net;
using ClipSae.Hosting.Service;
using ClipSae.Web.Security;

namespace ClipSae.Web;

/// <summary>
/// What the program that serves the pages may be given on its command line; broker and store are settings in the environment, as for every
/// service.
/// </summary>
/// <param name="Listen">Address.</param>
/// <param name="Port">Port; 0 takes a free one.</param>
/// <param name="HostNames">Other names under which browsers may ask.</param>
/// <param name="TokenFile">File of the token; null needs none, on loopback alone.</param>
/// <param name="Help">Whether only the help is asked for.</param>
internal sealed record WebArguments(IPAddress Listen, int Port, IReadOnlyList<string> HostNames, string? TokenFile, bool Help)
{
    private const string ListenFlag = "--listen";
    private const string PortFlag = "--port";
    private const string NameFlag = "--host-name";
    private const string TokenFlag = "--token-file";
    private const string HelpFlag = "--help";

    public static string HelpText { get; } =
        $"""
            The pages of ClipSae over the runs of a broker, read-only: runs until it is stopped (Ctrl-C, SIGTERM). /live and /ready answer without a token.

              {ListenFlag} ADDRESS    address to listen on [default: 127.0.0.1]; any other needs {TokenFlag}
              {PortFlag} PORT         port to listen on [default: a free one]
              {NameFlag} NAME    another host name under which browsers may ask; may be given several times
              {TokenFlag} FILE   file with the token that every request has to show
              {HelpFlag}              show this

            Broker and store are settings in the environment, such as ClipSae__Bus=rabbitmq.

            """;

    /// <exception cref="UserErrorException">An argument is unknown, has no value or an impossible one.</exception>
    public static WebArguments Parse(IReadOnlyList<string> args)
    {
        var parsed = new WebArguments(IPAddress.Loopback, 0, [], null, false);
        for (var i = 0; i < args.Count; i++)
        {
            var flag = args[i];
            parsed = flag switch
            {
                HelpFlag => parsed with { Help = true },
                ListenFlag => parsed with
                {
                    Listen = IPAddress.TryParse(Next(ref i), out var address)
                        ? address
                        : throw new UserErrorException($"{ListenFlag} {args[i]}: must be an IP address"),
                },
                PortFlag => parsed with
                {
                    Port = int.TryParse(Next(ref i), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                        ? port
                        : throw new UserErrorException($"{PortFlag} {args[i]}: must be a whole number"),
                },
                NameFlag => parsed with { HostNames = [.. parsed.HostNames, Next(ref i)] },
                TokenFlag => parsed with { TokenFile = Next(ref i) },
                _ => throw new UserErrorException(
                    $"unknown argument {flag}; known are {ListenFlag}, {PortFlag}, {NameFlag}, {TokenFlag}, {HelpFlag}"
                ),
            };
        }

        return parsed.TokenFile is not null || IPAddress.IsLoopback(parsed.Listen)
            ? parsed
            : throw new UserErrorException($"{ListenFlag} {parsed.Listen}: other machines can ask there, so {TokenFlag} is needed");

        string Next(ref int place) =>
            ++place < args.Count ? args[place] : throw new UserErrorException($"{args[place - 1]}: expected a value after it");
    }

    /// <summary>Serves the pages until asked to stop.</summary>
    /// <exception cref="UserErrorException">The token cannot be read or is too short, or the address cannot be had.</exception>
    public async Task ServeAsync(DistributedRuntime runtime, CancellationToken cancel)
    {
        var options = new WebOptions
        {
            Address = Listen,
            Port = Port,
            HostNames = HostNames,
            Token = TokenFile is null ? null : await ReadTokenAsync(TokenFile, cancel),
        };
        await using var server = await WebServer.StartAsync(runtime, options, "the distributed system", TimeProvider.System, cancel);
        await Console.Out.WriteLineAsync($"listening on {server.Address}");
        var stopped = new TaskCompletionSource();
        await using var registration = cancel.Register(stopped.SetResult);
        await stopped.Task;
    }

    private static async Task<string> ReadTokenAsync(string file, CancellationToken cancel)
    {
        try
        {
            return (await File.ReadAllTextAsync(file, cancel)).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{TokenFlag} {file}: cannot be read ({error.Message})", error);
        }
    }
}
