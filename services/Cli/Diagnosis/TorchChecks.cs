using ClipSae.Cli.Output;
using ClipSae.Tensors.Installation;

namespace ClipSae.Cli.Diagnosis;

/// <summary>What a GPU user wants to know: the PyTorch that lends its libtorch, and the cards.</summary>
internal static class TorchChecks
{
    private const string Check = "pytorch";
    private const string Install = "install PyTorch with CUDA for python3, or name the folder of one with --torch";

    /// <summary>Says which PyTorch is in use or would be, and what does not fit.</summary>
    public static Finding PyTorch()
    {
        if (Libtorch.InUse is { } inUse)
        {
            return new Finding(Check, FindingGrade.Ok, $"{inUse}, in use{Lacking(inUse)}");
        }

        if (Libtorch.BringsCuda || !OperatingSystem.IsLinux())
        {
            return new Finding(Check, FindingGrade.Ok, "none needed: the bundled libtorch is used");
        }

        var (found, whyNot) = Libtorch.Find();
        return (found, CudaCards.SeemThere) switch
        {
            ({ } installed, _) => new Finding(Check, FindingGrade.Ok, $"{installed}; --device cuda:0 uses it{Lacking(installed)}"),
            (null, true) => new Finding(Check, FindingGrade.Warn, whyNot!, Install),
            (null, false) => new Finding(Check, FindingGrade.Ok, $"none with CUDA, and no card that would need it ({whyNot})"),
        };
    }

    /// <summary>Shows the cards and the driver.</summary>
    public static Finding Cards()
    {
        var cards = CudaCards.All();
        return (CudaCards.DriverVersion, cards.Count) switch
        {
            ({ } version, > 0) => new Finding(
                "cards",
                FindingGrade.Ok,
                $"{string.Join(", ", cards.Select(card => $"cuda:{card.Index} {card.Name} {Amounts.Bytes(card.Bytes)}"))}; "
                    + $"the driver supports CUDA {version / 1000}.{version % 1000 / 10}"
            ),
            (null, _) when CudaCards.SeemThere => new Finding(
                "cards",
                FindingGrade.Warn,
                "an NVIDIA card, but no driver library (libcuda.so.1)",
                "install the NVIDIA driver, or give the container the host's"
            ),
            ({ }, 0) => new Finding(
                "cards",
                FindingGrade.Warn,
                "the NVIDIA driver shows none",
                "see nvidia-smi, and CUDA_VISIBLE_DEVICES where it is set"
            ),
            _ => new Finding("cards", FindingGrade.Ok, "no NVIDIA card"),
        };
    }

    private static string Lacking(TorchInstallation installation) =>
        Libtorch.MissingFunctions(installation) switch
        {
            [] => "",
            [var first, ..] and var all => $"; {all.Count} functions of the binding are not in it and not used, {first} among them",
        };
}
