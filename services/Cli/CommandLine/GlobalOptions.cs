using System.CommandLine;
using ClipSae.Tensors.Installation;

namespace ClipSae.Cli.CommandLine;

/// <summary>Options that every verb takes.</summary>
internal static class GlobalOptions
{
    public const string DataVariable = "CLIPSAE_DATA";
    public const string DefaultData = "./clipsae-data";

    public static ValueOption<string?> Data { get; } =
        new("--data", "FOLDER", $"Folder for runs, artifacts and checkpoints [default: ${DataVariable}, else {DefaultData}]")
        {
            Recursive = true,
        };

    public static Option<bool> Json { get; } =
        new("--json") { Description = "Print one JSON object on standard output and nothing else there", Recursive = true };

    public static ValueOption<int?> Threads { get; } =
        new("--threads", "N", "Threads for tensor computations [default: all cores]") { Recursive = true };

    public static ValueOption<int?> Units { get; } =
        new(
            "--units",
            "N",
            "Units computed at once, such as shards and arms, each with --threads threads [default: 1, or the number of GPUs]"
        )
        {
            Recursive = true,
        };

    public static ValueOption<string> Device { get; } =
        new("--device", "DEVICE", "Device to compute on: cpu, cuda:N, or cuda for every GPU of the machine", "cpu") { Recursive = true };

    public static ValueOption<string?> Torch { get; } =
        new(
            "--torch",
            "FOLDER",
            "Folder of an installed PyTorch whose libtorch is used [default: "
                + $"${Libtorch.Variable}, else for cuda the one that python3 has]"
        )
        {
            Recursive = true,
        };

    public static Option<bool> Verbose { get; } =
        new("--verbose", "-v") { Description = "Write a log and, on failure, the stack trace to standard error", Recursive = true };

    public static IEnumerable<Option> All => [Data, Json, Threads, Units, Device, Torch, Verbose];
}
