using ClipSae.Tensors.Installation;

namespace ClipSae.Tensors;

/// <summary>
/// What a process asks of <see cref="Compute"/> that hosts stages which compute with tensors. It begins nothing by itself.
/// </summary>
public static class ComputeProbe
{
    public static DeviceProbe Instance { get; } =
        new(Libtorch.Prepare, Compute.Require, Compute.UsedBytes, () => Compute.Threads, NativeHeap.TrimOnceGrown);
}
