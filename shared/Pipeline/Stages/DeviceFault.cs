namespace ClipSae.Pipeline.Stages;

/// <summary>
/// Distinguishes faults of a computing device from others, by what libtorch and CUDA say: the binding throws one type for all of them.
/// </summary>
public static class DeviceFault
{
    // After these a process can do nothing more on the card: CUDA answers every later call with the same error.
    private static readonly string[] Lasting =
    [
        "unspecified launch failure",
        "illegal memory access",
        "illegal instruction",
        "misaligned address",
        "device-side assert",
        "launch timed out",
        "uncorrectable",
        "hardware stack",
        "invalid program counter",
        "unknown error",
        "busy or unavailable",
        "device not found",
        "no cuda-capable device",
        "fallen off the bus",
        "CUDA_ERROR_ILLEGAL_ADDRESS",
        "CUDA_ERROR_LAUNCH_FAILED",
        "CUDA_ERROR_LAUNCH_TIMEOUT",
        "CUDA_ERROR_ECC_UNCORRECTABLE",
        "CUDA_ERROR_ASSERT",
        "CUDA_ERROR_UNKNOWN",
        "CUDA_ERROR_MISALIGNED_ADDRESS",
        "CUDA_ERROR_ILLEGAL_INSTRUCTION",
        "CUDA_ERROR_DEVICE_UNAVAILABLE",
        "CUDA_ERROR_NO_DEVICE",
    ];

    private static readonly string[] Short =
    [
        "out of memory",
        "CUDA_ERROR_OUT_OF_MEMORY",
        "STATUS_ALLOC_FAILED",
        "not enough memory",
        "can't allocate memory",
    ];

    // How libtorch says it of the machine's own memory, on Unix and on Windows.
    private static readonly string[] ShortMachine = ["DefaultCPUAllocator", "not enough memory: you tried to allocate"];

    // errno ENOMEM on Unix; ERROR_NOT_ENOUGH_MEMORY and ERROR_COMMITMENT_LIMIT as HRESULTs on Windows.
    private static readonly int[] NoMemory = [12, unchecked((int)0x80070008), unchecked((int)0x800705AF)];

    /// <summary>Whether the memory of the machine itself was not enough.</summary>
    public static bool IsMachineOutOfMemory(Exception error) =>
        Says(error, ShortMachine)
        || Causes(error).Any(cause => cause is OutOfMemoryException || (cause is IOException && NoMemory.Contains(cause.HResult)));

    /// <summary>The error and what it comes from, the outermost first.</summary>
    public static IEnumerable<Exception> Causes(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }

    /// <summary>Whether the device's memory was not enough; it can still compute.</summary>
    public static bool IsOutOfMemory(Exception error) => Says(error, Short);

    /// <summary>Whether the card no longer computes in this process.</summary>
    public static bool IsLost(Exception error) => !IsOutOfMemory(error) && Says(error, ["CUDA"]) && Says(error, Lasting);

    /// <summary>The first line of what is said of it.</summary>
    public static string Line(Exception error) => UserErrorException.FirstLine(error.GetBaseException().Message);

    private static bool Says(Exception error, string[] phrases) =>
        Causes(error).Any(cause => phrases.Any(phrase => cause.Message.Contains(phrase, StringComparison.OrdinalIgnoreCase)));
}
