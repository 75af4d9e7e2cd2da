using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ClipSae.Benchmarks;

/// <summary>Processor time of this process's children that have ended, as the kernel accounts it.</summary>
internal static partial class EndedChildren
{
    private const int Children = -1;

    /// <summary>User and system time of all of them together, seconds.</summary>
    public static double ProcessorSeconds
    {
        get
        {
            var usage = Usage();
            return usage[0] + usage[2] + (1e-6 * (usage[1] + usage[3]));
        }
    }

    // struct rusage begins with two pairs of seconds and microseconds, user then system; 144 bytes in all on 64-bit Linux.
    private static long[] Usage()
    {
        var usage = new long[18];
        return GetUsage(Children, ref usage[0]) == 0 ? usage : throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "getrusage", SetLastError = true)]
    private static partial int GetUsage(int who, ref long usage);
}
