using System.Runtime.InteropServices;

namespace ClipSae.Tensors.Installation;

/// <summary>
/// What threads of libtorch's OpenMP do between two operations. By default they wait busily for milliseconds. Where several processes
/// compute on one machine, that takes the cores from those that have work, and each operation then waits for a thread that is not scheduled
/// (infra/docs/benchmarks.md). How threads wait changes no result; their number, which does, stays as it is.
/// </summary>
public static unsafe class IdleThreads
{
    /// <summary>OpenMP's own setting, <c>active</c> or <c>passive</c>.</summary>
    public const string PolicyVariable = "OMP_WAIT_POLICY";

    /// <summary>The GNU library's setting: how often a waiting thread looks before it sleeps.</summary>
    public const string SpinVariable = "GOMP_SPINCOUNT";

    /// <summary>Whether this process lets its idle threads sleep.</summary>
    public static bool AreAsleep { get; private set; }

    /// <summary>
    /// Lets idle threads sleep at once, unless the environment says how they wait. It must come before libtorch is loaded, since OpenMP
    /// reads its settings once. .NET's own environment is a copy that native code does not see. Nothing happens but on Linux.
    /// </summary>
    public static void Sleep()
    {
        if (
            !OperatingSystem.IsLinux()
            || Environment.GetEnvironmentVariable(PolicyVariable) is not null
            || Environment.GetEnvironmentVariable(SpinVariable) is not null
            || !NativeLibrary.TryLoad("libc.so.6", out var library)
            || !NativeLibrary.TryGetExport(library, "setenv", out var address)
        )
        {
            return;
        }

        fixed (
            byte* name = "OMP_WAIT_POLICY"u8,
                value = "passive"u8
        )
        {
            // UTF-8 literals end with a zero byte.
            AreAsleep = ((delegate* unmanaged<byte*, byte*, int, int>)address)(name, value, 0) == 0;
        }
    }
}
