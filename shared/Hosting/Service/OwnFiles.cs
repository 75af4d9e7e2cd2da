using System.Runtime.InteropServices;

namespace ClipSae.Hosting.Service;

/// <summary>
/// Keeps what this process writes to its owner: activations and weights may be made of pictures that others must not see.
/// </summary>
internal static partial class OwnFiles
{
    private const int GroupAndOthers = 0b_000_111_111;

    /// <summary>From now on the process makes files and folders that their owner alone can read.</summary>
    public static void KeepToOwner()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SetMask(GroupAndOthers);
        }
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial int SetMask(int mask);
}
