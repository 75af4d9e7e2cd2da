using TorchSharp;

namespace ClipSae.Tensors;

public static class Smoke
{
    public static double Norm() => torch.ones(3, 3).norm().item<float>();
}
