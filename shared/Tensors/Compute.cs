using System.Globalization;
using ClipSae.Tensors.Installation;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>Where and with how many threads tensors are computed.</summary>
public static class Compute
{
    private static readonly AsyncLocal<string?> Assigned = new();
    private static int? _threads;

    // Whoever computes comes by here first.
    static Compute() => NativeHeap.KeepFreedBlocks();

    /// <summary>Lets <c>cuda</c> mean the named device within the calling flow and what it starts, until the result is disposed.</summary>
    /// <param name="name">A device of its own: one card of several, <c>cuda:1</c>.</param>
    public static IDisposable Assign(string name)
    {
        var assignment = new Assignment(Assigned.Value);
        Assigned.Value = name;
        return assignment;
    }

    /// <summary>How many cards the machine has for this process, once libtorch for CUDA is loaded; 0 without.</summary>
    public static int Cards
    {
        get
        {
            Libtorch.Prepare("cuda");
            return torch.cuda.is_available() ? torch.cuda.device_count() : 0;
        }
    }

    /// <summary>
    /// The device named <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>. <c>cuda</c> is the card that the unit at work has (<see cref="Assign"/>),
    /// or the first. The calling thread computes with the thread count of <see cref="UseThreads"/> from here on.
    /// </summary>
    /// <exception cref="UserErrorException">No such name, or no such device in this machine or build.</exception>
    public static torch.Device Device(string name)
    {
        name = name == "cuda" ? Assigned.Value ?? name : name;
        if (name == "cpu")
        {
            Libtorch.Prepare(name);
            ApplyThreads();
            return torch.CPU;
        }

        var parts = name.Split(':');
        if (parts[0] != "cuda" || parts.Length > 2 || !TryIndex(parts, out var index))
        {
            throw new UserErrorException($"device '{name}' is not known; use cpu, cuda or cuda:N");
        }

        Libtorch.Prepare(name);
        ApplyThreads();
        if (!torch.cuda.is_available() || index >= torch.cuda.device_count())
        {
            throw new UserErrorException($"device '{name}' is not available: {MissingCuda.Explain(index)}");
        }

        return torch.device(DeviceType.CUDA, index);
    }

    /// <summary>How many threads one operation of the calling thread uses from here on, as with <see cref="Device"/>.</summary>
    public static int Threads
    {
        get
        {
            ApplyThreads();
            return torch.get_num_threads();
        }
    }

    /// <summary>
    /// Sets how many threads one operation may use. Results are bit-for-bit repeatable only at an equal number. libtorch keeps the count of
    /// a thread that has computed before, so such a thread takes a new one with <see cref="Device"/>.
    /// </summary>
    /// <exception cref="UserErrorException"><paramref name="count"/> is below 1.</exception>
    public static void UseThreads(int count)
    {
        UserErrorException.ThrowIf(count < 1, $"threads is {count}; it must be 1 or more");

        _threads = count;
        torch.set_num_threads(count);
    }

    private static void ApplyThreads()
    {
        if (_threads is { } count && torch.get_num_threads() != count)
        {
            torch.set_num_threads(count);
        }
    }

    /// <summary>Computes one number on the device: it is there, and its driver answers.</summary>
    /// <exception cref="UserErrorException">There is no such device.</exception>
    /// <exception cref="System.Runtime.InteropServices.ExternalException">The device does not compute.</exception>
    public static void Require(string name)
    {
        using var one = torch.ones(1, dtype: torch.float32, device: Device(name));
        UserErrorException.ThrowIf(one.item<float>() != 1, $"device '{name}' computes incorrectly");
    }

    /// <summary>Memory in use: the whole of a GPU's, by whatever process, or the resident set of this process for <c>cpu</c>.</summary>
    /// <returns>Bytes; null where the driver does not say.</returns>
    public static long? UsedBytes(string name) => name == "cpu" ? ResidentBytes : CudaCards.Used(Device(name).index);

    /// <summary>Memory of a GPU that no process uses; what libtorch keeps for later counts as used.</summary>
    /// <returns>Bytes; null where the driver does not say.</returns>
    public static long? FreeBytes(string name) =>
        Device(name).index is var index && CudaCards.All().FirstOrDefault(card => card.Index == index) is { } card
            ? card.Bytes - CudaCards.Used(index)
            : null;

    /// <summary>Resident set of this process, bytes: what the native tensors really occupy, which the GC does not see.</summary>
    public static long ResidentBytes => Environment.WorkingSet;

    private sealed class Assignment(string? earlier) : IDisposable
    {
        public void Dispose() => Assigned.Value = earlier;
    }

    private static bool TryIndex(string[] parts, out int index)
    {
        index = 0;
        return parts.Length == 1 || int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out index);
    }
}
