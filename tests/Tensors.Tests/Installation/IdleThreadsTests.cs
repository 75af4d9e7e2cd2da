using System.Runtime.InteropServices;
using ClipSae.Tensors.Installation;

namespace ClipSae.Tensors.Tests.Installation;

public class IdleThreadsTests
{
    [Fact]
    public void Native_code_is_told_to_let_idle_threads_sleep_unless_the_environment_says_otherwise()
    {
        Compute.Device("cpu");

        var told = Environment.GetEnvironmentVariable(IdleThreads.PolicyVariable)
            ?? Environment.GetEnvironmentVariable(IdleThreads.SpinVariable);
        IdleThreads.AreAsleep.ShouldBe(OperatingSystem.IsLinux() && told is null);
        if (IdleThreads.AreAsleep)
        {
            Native(IdleThreads.PolicyVariable).ShouldBe("passive");
        }
    }

    private delegate nint ReadVariable([MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    private static string? Native(string name)
    {
        var read = Marshal.GetDelegateForFunctionPointer<ReadVariable>(NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "getenv"));
        return Marshal.PtrToStringUTF8(read(name));
    }
}
