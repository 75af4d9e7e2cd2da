using System.ComponentModel;
using System.Diagnostics;

namespace ClipSae.Tensors.Installation;

/// <summary>Asks <c>python3</c> where its PyTorch is. PyTorch itself is not imported, and nothing of the working folder is.</summary>
internal static class PythonTorch
{
    private const string Python = "python3";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    // find_spec of a package at the top imports nothing. The empty entry of the path is the working folder.
    private const string Question =
        "import sys; sys.path[:] = [p for p in sys.path if p]\nimport importlib.util as u\n"
        + "s = u.find_spec('torch')\nprint(s.origin if s and s.origin else '')\nprint(*sys.path, sep='\\n')";

    /// <returns>The installation, or why there is none.</returns>
    public static (TorchInstallation? Found, string? WhyNot) Find()
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(Python, ["-c", Question])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                    RedirectStandardInput = true,
                }
            )!;
            process.StandardInput.Close();
            var (answer, complaint) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (!process.WaitForExit(Timeout))
            {
                process.Kill(entireProcessTree: true);
                return (null, $"{Python} did not answer within {Timeout.TotalSeconds} s");
            }

            return process.ExitCode == 0
                ? Read(answer.GetAwaiter().GetResult())
                : (null, $"{Python} fails: {LastLine(complaint.GetAwaiter().GetResult())}");
        }
        catch (Win32Exception)
        {
            return (null, $"there is no {Python}");
        }
    }

    private static (TorchInstallation? Found, string? WhyNot) Read(string answer)
    {
        var lines = answer.Split('\n', StringSplitOptions.TrimEntries);
        if (lines[0].Length == 0 || Path.GetDirectoryName(lines[0]) is not { } folder)
        {
            return (null, $"{Python} has no PyTorch");
        }

        try
        {
            return (TorchInstallation.At(folder, lines.Skip(1).Where(Path.IsPathRooted)), null);
        }
        catch (UserErrorException error)
        {
            return (null, error.Message);
        }
    }

    private static string LastLine(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault()
        ?? "without an error message";
}
