using System.CommandLine;
using ClipSae.Tensors.Installation;

namespace ClipSae.Cli.CommandLine;

/// <summary>Options that every verb takes.</summary>
internal static class GlobalOptions
{
    public const string DataVariable = "CLIPSAE_DATA";
    public const string DefaultData = "./clipsae-data";

    public static Option<string?> Data { get; } =
        new("--data")
        {
            Description = $"Folder for runs, artifacts and checkpoints [default: ${DataVariable}, else {DefaultData}]",
            HelpName = "FOLDER",
            Recursive = true,
        };

    public static Option<bool> Json { get; } =
        new("--json") { Description = "Print one JSON object on standard output and nothing else there", Recursive = true };

    public static Option<int?> Threads { get; } =
        new("--threads")
        {
            Description = "Threads for tensor computations [default: all cores]",
            HelpName = "N",
            Recursive = true,
        };

    public static Option<int?> Units { get; } =
        new("--units")
        {
            Description =
                "Units computed at once, such as shards and arms, each with --threads threads [default: 1, or the number of GPUs]",
            HelpName = "N",
            Recursive = true,
        };

    public static Option<string> Device { get; } =
        new("--device")
        {
            Description = "Device to compute on: cpu, cuda:N, or cuda for every GPU of the machine",
            HelpName = "DEVICE",
            Recursive = true,
            DefaultValueFactory = _ => "cpu",
        };

    public static Option<string?> Torch { get; } =
        new("--torch")
        {
            Description =
                "Folder of an installed PyTorch whose libtorch is used [default: "
                + $"${Libtorch.Variable}, else for cuda the one that python3 has]",
            HelpName = "FOLDER",
            Recursive = true,
        };

    public static Option<bool> Verbose { get; } =
        new("--verbose", "-v") { Description = "Write a log and, on failure, the stack trace to standard error", Recursive = true };

    public static IEnumerable<Option> All => [Data, Json, Threads, Units, Device, Torch, Verbose];
}
