using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;
using ClipSae.Tensors;
using ClipSae.Tensors.Installation;
using Spectre.Console;
using TorchSharp;

namespace ClipSae.Cli.CommandLine;

/// <summary>What a verb sees of its caller: the global options, where to answer, and the clock.</summary>
internal sealed class Session
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
    private readonly ConsoleStreams _streams;

    public Session(ParseResult arguments, ConsoleStreams streams, TimeProvider time)
    {
        _streams = streams;
        Time = time;
        Json = arguments.GetValue(GlobalOptions.Json);
        Verbose = arguments.GetValue(GlobalOptions.Verbose);
        Device = arguments.GetValue(GlobalOptions.Device) ?? "cpu";
        Threads = arguments.GetValue(GlobalOptions.Threads);
        Units = arguments.GetValue(GlobalOptions.Units);
        Libtorch.Named = arguments.GetValue(GlobalOptions.Torch);
        DataFolder = Path.GetFullPath(
            arguments.GetValue(GlobalOptions.Data) ?? Environment(GlobalOptions.DataVariable) ?? GlobalOptions.DefaultData
        );
        Console = ConsoleOn(streams.Out, interactive: false);
    }

    /// <summary>Whether the data folder can be one.</summary>
    /// <exception cref="WrongUseException">A file is in its place.</exception>
    public void RequireDataFolder()
    {
        for (var folder = DataFolder; folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
        {
            WrongUseException.ThrowIf(File.Exists(folder), $"{GlobalOptions.Data.Name}: {folder} is a file; name a folder");
        }
    }

    public bool Json { get; }

    public bool Verbose { get; }

    public string Device { get; }

    /// <summary>
    /// Whether the caller names a device other than the processor, or whose libtorch computes: that is decided before the first tensor.
    /// </summary>
    public bool NamesDevice => Device != "cpu" || Libtorch.IsNamed;

    /// <summary>Threads for tensor work; null leaves the choice to the library.</summary>
    public int? Threads { get; }

    /// <summary>Units that are computed at once; null is one, or one a GPU.</summary>
    public int? Units { get; }

    public string DataFolder { get; }

    /// <summary>Whether the same command without <c>--data</c> has this data folder.</summary>
    public bool IsDefaultDataFolder => DataFolder == Path.GetFullPath(Environment(GlobalOptions.DataVariable) ?? GlobalOptions.DefaultData);

    public TimeProvider Time { get; }

    /// <summary>Standard output for people.</summary>
    public IAnsiConsole Console { get; }

    public TextWriter Error => _streams.Error;

    public bool IsErrorInteractive => _streams.IsErrorInteractive;

    /// <summary>Whether the one answer of this call has been given.</summary>
    public bool Answered { get; private set; }

    /// <summary>Gives the verb's answer: JSON with <c>--json</c>, otherwise what <paramref name="forPeople"/> writes.</summary>
    public void Answer(JsonObject json, Action<IAnsiConsole> forPeople)
    {
        Answered = true;
        if (Json)
        {
            _streams.Out.WriteLine(json.ToJsonString(Indented));
        }
        else
        {
            forPeople(Console);
        }
    }

    /// <summary>Sets the thread count that was asked for and gives the device.</summary>
    /// <exception cref="WrongUseException">There is no such device, or the thread count is impossible.</exception>
    public torch.Device UseDevice() =>
        WrongUseException.Checked(() =>
        {
            // First: it decides which libtorch is loaded.
            var device = Compute.Device(Device);
            if (Threads is { } threads)
            {
                Compute.UseThreads(threads);
            }

            return device;
        });

    /// <summary>
    /// Parameters in sections with the device that was asked for, in every section that knows one; the CPU is everyone's default.
    /// </summary>
    public JsonObject OnDevice(JsonObject parameters, IReadOnlyDictionary<string, JsonObject> defaults)
    {
        foreach (var stage in defaults.Where(stage => Device != "cpu" && stage.Value.ContainsKey("device")))
        {
            var section = ParameterSections.SectionOf(stage.Key);
            parameters[section] ??= new JsonObject();
            parameters[section]!["device"] ??= Device;
        }

        return parameters;
    }

    /// <summary>A line about what is happening; never on standard output.</summary>
    public void Tell(string line) => _streams.Error.WriteLine(line);

    /// <summary>A console on standard error for live progress.</summary>
    public IAnsiConsole ErrorConsole() => ConsoleOn(_streams.Error, _streams.IsErrorInteractive);

    private static IAnsiConsole ConsoleOn(TextWriter writer, bool interactive)
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(writer),
                Interactive = interactive ? InteractionSupport.Yes : InteractionSupport.No,
            }
        );
        if (!console.Profile.Out.IsTerminal)
        {
            // A pipe has no width; lines must not be folded there.
            console.Profile.Width = 10_000;
        }

        return console;
    }

    /// <summary>An environment variable; null where it is not set or empty.</summary>
    public string? Environment(string variable) => NotEmpty(_streams.Environment(variable));

    private static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
