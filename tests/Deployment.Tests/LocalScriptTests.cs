using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ClipSae.TestKit.Sources;

namespace ClipSae.Deployment.Tests;

public partial class LocalScriptTests
{
    public static TheoryData<string> Scripts =>
        [.. Directory.GetFiles(Path.Combine(Solution.Root, "infra", "local"), "*.sh").Select(file => Path.GetFileName(file))];

    // Every user of a machine can see the arguments of its programs; what the shell does itself has none.
    [Theory]
    [MemberData(nameof(Scripts))]
    public void No_secret_is_an_argument_of_a_program(string script)
    {
        foreach (
            var line in File.ReadAllText(Path.Combine(Solution.Root, "infra", "local", script))
                .Replace("\\\n", "")
                .Split('\n')
                .Where(line => Secret().IsMatch(line))
        )
        {
            ShellOnly().IsMatch(line).ShouldBeTrue(line);
        }
    }

    [Fact]
    public void What_is_stopped_is_what_was_started_and_no_process_that_has_its_number_now()
    {
        var folder = Directory.CreateTempSubdirectory("clipsae-test-").FullName;
        using var stranger = Process.Start("sleep", "60");
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "pids"));
            File.WriteAllText(Path.Combine(folder, "pids", "coordinator"), stranger.Id.ToString(CultureInfo.InvariantCulture));
            using var down = Process.Start(
                new ProcessStartInfo(Path.Combine(Solution.Root, "infra", "local", "down.sh"), [folder]) { RedirectStandardOutput = true }
            )!;
            down.WaitForExit();

            down.ExitCode.ShouldBe(0);
            stranger.HasExited.ShouldBeFalse();
            Directory.Exists(Path.Combine(folder, "pids")).ShouldBeFalse();
        }
        finally
        {
            stranger.Kill();
            Directory.Delete(folder, recursive: true);
        }
    }

    // The secret's value: its file read into the line, or a variable or an option that holds it.
    [GeneratedRegex("""\$\((cat |<)"?\$folder/(secret-key|password)|\$\{?(password|secret)\b|--secret-key|/\$password""")]
    private static partial Regex Secret();

    [GeneratedRegex("""^\s*(conf=\$\(<"[^|;]*|\(umask 077; printf '[^']*'( "[^"]*")+ >"\$folder/[a-z.]+"\))$""")]
    private static partial Regex ShellOnly();
}
