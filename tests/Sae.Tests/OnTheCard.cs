using System.Runtime.CompilerServices;
using ClipSae.Tensors.Installation;

namespace ClipSae.Sae.Tests;

/// <summary>On a machine with an NVIDIA card, the libtorch that reaches it is loaded before the first tensor of any test.</summary>
internal static class OnTheCard
{
    [ModuleInitializer]
    internal static void LoadLibtorch()
    {
        if (CudaCards.All().Count > 0)
        {
            Libtorch.Prepare("cuda:0");
        }
    }
}
