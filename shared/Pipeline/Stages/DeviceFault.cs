namespace ClipSae.Pipeline;

/// <summary>Tells faults of a computing device from others, by what libtorch and CUDA say: the binding throws one type for all of them.</summary>
public static class DeviceFault
{
    // After these a process can do nothing more on the card: CUDA answers every later call with the same error.
    private static readonly string[] Lasting =
    [
        "unspecified launch failure", "illegal memory access", "illegal instruction", "misaligned address", "device-side assert", "launch timed out", "uncorrectable",
        "hardware stack", "invalid program counter", "unknown error", "busy or unavailable", "device not found", "no cuda-capable device", "fallen off the bus",
        "CUDA_ERROR_ILLEGAL_ADDRESS", "CUDA_ERROR_LAUNCH_FAILED", "CUDA_ERROR_LAUNCH_TIMEOUT", "CUDA_ERROR_ECC_UNCORRECTABLE", "CUDA_ERROR_ASSERT", "CUDA_ERROR_UNKNOWN",
        "CUDA_ERROR_MISALIGNED_ADDRESS", "CUDA_ERROR_ILLEGAL_INSTRUCTION", "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA_ERROR_NO_DEVICE",
    ];

    private static readonly string[] Short = ["out of memory", "CUDA_ERROR_OUT_OF_MEMORY", "STATUS_ALLOC_FAILED", "not enough memory", "can't allocate memory"];

    /// <summary>Whether the device's memory did not suffice; it computes on.</summary>
    public static bool IsOutOfMemory(Exception error) => Says(error, Short);

    /// <summary>Whether the card no longer computes in this process.</summary>
    public static bool IsLost(Exception error) => !IsOutOfMemory(error) && Says(error, ["CUDA"]) && Says(error, Lasting);

    /// <summary>The first line of what is said of it.</summary>
    public static string Line(Exception error) => error.GetBaseException().Message.Split('\n')[0].TrimEnd('\r', '.');

    private static bool Says(Exception error, string[] phrases)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (phrases.Any(phrase => cause.Message.Contains(phrase, StringComparison.OrdinalIgnoreCase)))
            {
                return true;
            }
        }

        return false;
    }
}
