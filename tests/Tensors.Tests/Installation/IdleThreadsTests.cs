using System.Runtime.InteropServices;
using ClipSae.Tensors.Installation;

namespace ClipSae.Tensors.Tests.Installation;

public class IdleThreadsTests
{
    [Fact]
    public void Native_code_sees_how_idle_threads_wait_unless_the_environment_says_so()
    {
        string[] variables = [IdleThreads.PolicyVariable, IdleThreads.SpinVariable, IdleThreads.BlockTimeVariable];
        var isSet = variables.Any(name => Environment.GetEnvironmentVariable(name) is not null);
        IdleThreads.Settings.Keys.ShouldBe(OperatingSystem.IsLinux() && !isSet ? variables : [], ignoreOrder: true);
        IdleThreads.Settings.ShouldAllBe(setting => Native(setting.Key) == setting.Value);
    }

    private delegate nint ReadVariable([MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    private static string? Native(string name)
    {
        var read = Marshal.GetDelegateForFunctionPointer<ReadVariable>(NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "getenv"));
        return Marshal.PtrToStringUTF8(read(name));
    }
}
