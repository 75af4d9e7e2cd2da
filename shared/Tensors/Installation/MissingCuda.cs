using System.Globalization;

namespace ClipSae.Tensors.Installation;

/// <summary>Says in one line why this process has no CUDA device of a number, and what to do.</summary>
internal static class MissingCuda
{
    /// <param name="index">Number of the device that was asked for.</param>
    public static string Explain(int index) =>
        Explain(index, CudaCards.DriverVersion, CudaCards.All().Count, Libtorch.InUse, Libtorch.BringsCuda, Libtorch.WhyNoCuda);

    /// <param name="index">Number of the device that was asked for.</param>
    /// <param name="driver">Newest CUDA of the driver, 1000 × major + 10 × minor; null without a driver.</param>
    /// <param name="cards">How many cards the driver shows.</param>
    /// <param name="inUse">The PyTorch in use; null for what is bundled.</param>
    /// <param name="bringsCuda">Whether what is bundled is built for CUDA.</param>
    /// <param name="whyNot">Why no PyTorch with CUDA was found.</param>
    internal static string Explain(int index, int? driver, int cards, TorchInstallation? inUse, bool bringsCuda, string? whyNot) =>
        (driver, cards, inUse) switch
        {
            (null, _, _) => "this machine has no NVIDIA driver; use cpu",
            (_, 0, _) => "the driver shows no card (see nvidia-smi, and CUDA_VISIBLE_DEVICES if set, for details); use cpu",
            (_, _, null) when !bringsCuda =>
                $"{whyNot}; install PyTorch with CUDA for python3, or name the folder of one with --torch or {Libtorch.Variable}",
            (_, _, { Cuda: null }) =>
                $"PyTorch {inUse.Version} at {inUse.Folder} is built without CUDA; name another with --torch or {Libtorch.Variable}",
            (var version, _, { Cuda: { } cuda }) when Major(cuda) > version / 1000 =>
                $"the driver supports CUDA {version / 1000}.{version % 1000 / 10} and PyTorch {inUse.Version} needs {cuda}; "
                    + $"update the driver, or install a PyTorch for CUDA {version / 1000}",
            _ when index >= cards => $"there {(cards == 1 ? "is 1 card, cuda:0" : $"are {cards} cards, cuda:0 to cuda:{cards - 1}")}",
            _ => $"the driver shows {cards} but libtorch cannot use any; python3 -c \"import torch; torch.zeros(1).cuda()\" says why",
        };

    private static int Major(string version) =>
        int.TryParse(version.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : 0;
}
