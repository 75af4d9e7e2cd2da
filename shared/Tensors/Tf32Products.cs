using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// While it lives, float32 matrix products on a GPU round their inputs to TF32 (10 bits after the point) and add in float32, many times as
/// quick.
/// </summary>
public readonly struct Tf32Products : IDisposable
{
    private readonly bool _before;

    public Tf32Products()
    {
        _before = torch.backends.cuda.matmul.allow_tf32;
        torch.backends.cuda.matmul.allow_tf32 = true;
    }

    public void Dispose() => torch.backends.cuda.matmul.allow_tf32 = _before;
}
