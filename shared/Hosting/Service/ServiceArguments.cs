using ClipSae.Pipeline.Stages;

namespace ClipSae.Hosting.Service;

/// <summary>What a service may be given on its command line; everything else comes from the environment.</summary>
/// <param name="Once">Whether the worker ends after one unit.</param>
/// <param name="Device">The worker's device; null leaves it to the environment and the run.</param>
/// <param name="Torch">Folder of the PyTorch whose libtorch computes; null leaves it to the environment and to what is found.</param>
/// <param name="Help">Whether only the help is asked for.</param>
internal sealed record ServiceArguments(bool Once, string? Device, string? Torch, bool Help)
{
    private const string OnceFlag = "--once";
    private const string DeviceFlag = "--device";
    private const string TorchFlag = "--torch";
    private const string HelpFlag = "--help";

    public static string HelpText { get; } =
        $"""
            A service of ClipSae: runs until it is stopped (Ctrl-C, SIGTERM).

              {DeviceFlag} DEVICE   compute on cpu or cuda:N, whatever a run asks for
              {TorchFlag} FOLDER    compute with the libtorch of an installed PyTorch; for cuda, that of python3 is found by itself
              {OnceFlag}            end after one unit, for batch schedulers
              {HelpFlag}            show this

            Broker, store and everything else are settings in the environment, such as ClipSae__Bus=rabbitmq; the README has their table.

            """;

    /// <exception cref="UserErrorException">An argument is unknown, or has no value.</exception>
    public static ServiceArguments Parse(IReadOnlyList<string> args)
    {
        var parsed = new ServiceArguments(false, null, null, false);
        for (var i = 0; i < args.Count; i++)
        {
            var parts = args[i].Split('=', 2);
            parsed = (parts[0], parts.Length) switch
            {
                (OnceFlag, 1) => parsed with { Once = true },
                (HelpFlag, 1) => parsed with { Help = true },
                (DeviceFlag, 2) => parsed with { Device = parts[1] },
                (DeviceFlag, 1) => parsed with
                {
                    Device = ++i < args.Count ? args[i] : throw new UserErrorException($"{DeviceFlag}: expected cpu or cuda:N after it"),
                },
                (TorchFlag, 2) => parsed with { Torch = parts[1] },
                (TorchFlag, 1) => parsed with
                {
                    Torch =
                        ++i < args.Count
                            ? args[i]
                            : throw new UserErrorException($"{TorchFlag}: expected the folder of a PyTorch after it"),
                },
                _ => throw new UserErrorException(
                    $"unknown argument {args[i]}; {NearMatches.Describe(parts[0], [OnceFlag, DeviceFlag, TorchFlag, HelpFlag])}"
                ),
            };
        }

        return parsed;
    }
}
