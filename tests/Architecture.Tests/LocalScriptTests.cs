using System.Text.RegularExpressions;

namespace ClipSae.Architecture.Tests;

public partial class LocalScriptTests
{
    public static TheoryData<string> Scripts => [.. Directory.GetFiles(Path.Combine(Solution.Root, "infra", "local"), "*.sh").Select(file => Path.GetFileName(file))];

    // Every user of a machine can see the arguments of its programs; what the shell does itself has none.
    [Theory]
    [MemberData(nameof(Scripts))]
    public void No_secret_is_an_argument_of_a_program(string script)
    {
        foreach (var line in File.ReadAllText(Path.Combine(Solution.Root, "infra", "local", script)).Replace("\\\n", "").Split('\n').Where(line => Secret().IsMatch(line)))
        {
            ShellOnly().IsMatch(line).ShouldBeTrue(line);
        }
    }

    // The secret's value: its file read into the line, or a variable or an option that holds it.
    [GeneratedRegex("""\$\((cat |<)"?\$folder/(secret-key|password)|\$\{?(password|secret)\b|--secret-key|/\$password""")]
    private static partial Regex Secret();

    [GeneratedRegex("""^\s*(conf=\$\(<"[^|;]*|\(umask 077; printf '%s\\n' "[^"]*" >"\$folder/[a-z.]+"\))$""")]
    private static partial Regex ShellOnly();
}
