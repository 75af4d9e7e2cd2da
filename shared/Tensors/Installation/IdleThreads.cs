using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ClipSae.Tensors.Installation;

/// <summary>
/// What threads of libtorch's OpenMP do between two operations. Waking one that sleeps takes as long as many an operation of a small
/// model, so sleeping at once slows down a job that has the machine for itself. Waiting busily for milliseconds, as they do by default,
/// takes the cores from other processes that have work, and each operation then waits for a thread that is not scheduled. A wait of some
/// microseconds costs little in both cases (infra/docs/benchmarks.md). How threads wait changes no result; their number, which does,
/// stays as it is.
/// </summary>
public static partial class IdleThreads
{
    /// <summary>OpenMP's own setting, <c>active</c> or <c>passive</c>.</summary>
    public const string PolicyVariable = "OMP_WAIT_POLICY";

    /// <summary>The GNU library's setting: how often a waiting thread looks before it sleeps.</summary>
    public const string SpinVariable = "GOMP_SPINCOUNT";

    /// <summary>The same for LLVM's and Intel's library, milliseconds.</summary>
    public const string BlockTimeVariable = "KMP_BLOCKTIME";

    /// <summary>What this process has set for OpenMP; empty where the environment has a say or the system is not Linux.</summary>
    public static IReadOnlyDictionary<string, string> Settings { get; private set; } = new Dictionary<string, string>();

    /// <summary>
    /// Lets idle threads wait briefly and then sleep, unless the environment says how they wait. Nothing happens but on Linux.
    /// </summary>
    /// <remarks>
    /// OpenMP reads its settings once, when libtorch is loaded, and TorchSharp loads that at its first call, wherever it comes from. So
    /// this runs before any other code of this library. .NET's own environment is a copy that native code does not see.
    /// </remarks>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "No call of a program's own would surely come before its first tensor.")]
    internal static void WaitBriefly()
    {
        (string Name, string Value)[] settings =
        [
            // The GNU library cuts the count to 100 once several threads of a process have teams of their own, unless the policy is
            // active. Under an active policy LLVM's threads would never sleep without the block time.
            (PolicyVariable, "active"),
            (SpinVariable, "1000"),
            (BlockTimeVariable, "0"),
        ];
        if (OperatingSystem.IsLinux() && settings.All(setting => Environment.GetEnvironmentVariable(setting.Name) is null))
        {
            Settings = settings
                .Where(setting => SetEnvironment(setting.Name, setting.Value, overwrite: 0) == 0)
                .ToDictionary(setting => setting.Name, setting => setting.Value, StringComparer.Ordinal);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
