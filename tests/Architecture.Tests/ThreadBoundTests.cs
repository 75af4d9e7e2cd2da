using System.Text.RegularExpressions;
using ClipSae.TestKit.Sources;

namespace ClipSae.Architecture.Tests;

/// <summary>
/// A dispose scope and a switch of gradients belong to the thread that opened them, and what follows an await may run on another. The
/// scope would then go on collecting the tensors of whatever that first thread does next, and free them when it is closed: memory that
/// others still use.
/// </summary>
public partial class ThreadBoundTests
{
    [Fact]
    public void None_is_open_over_an_await() =>
        Solution
            .Sources("services", "shared", "tests")
            .SelectMany(path => Awaits(File.ReadAllLines(path)).Select(line => $"{Path.GetRelativePath(Solution.Root, path)}: {line}"))
            .ShouldBeEmpty();

    /// <summary>A test class is created, run and disposed of by one thread only where its tests are synchronous.</summary>
    [Fact]
    public void None_is_a_field_of_a_class_with_asynchronous_methods() =>
        Solution
            .Sources("services", "shared", "tests")
            .Where(path =>
                File.ReadAllText(path) is var text && Field().IsMatch(text) && text.Contains(" async ", StringComparison.Ordinal)
            )
            .Select(path => Path.GetRelativePath(Solution.Root, path))
            .ShouldBeEmpty();

    [Theory]
    [InlineData(new[] { "{", "    using var x = torch.no_grad();", "    Use();", "    await A();", "}" }, true)]
    [InlineData(new[] { "{", "    {", "        using var x = torch.no_grad();", "    }", "", "    await A();", "}" }, false)]
    [InlineData(new[] { "    using (torch.NewDisposeScope())", "    {", "", "        await A();", "    }" }, true)]
    [InlineData(new[] { "    using (torch.NewDisposeScope())", "    {", "        Use();", "    }", "    await A();" }, false)]
    [InlineData(new[] { "    var scope = torch.NewDisposeScope();", "    await A();" }, true)]
    public void An_await_in_its_block_is_found(string[] lines, bool isFound) => Awaits(lines).Any().ShouldBe(isFound);

    /// <summary>Lines that open one and are followed by an await before their block ends; the formatter's indentation says where.</summary>
    private static IEnumerable<string> Awaits(string[] lines)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            if (!Opening().IsMatch(lines[i]))
            {
                continue;
            }

            // A statement `using (...)` has its block below it, a local's scope is what surrounds it.
            var first = i + 1;
            var depth = IndentOf(lines[i]);
            if (lines[i].TrimStart().StartsWith("using (", StringComparison.Ordinal))
            {
                (first, depth) = (i + 2, depth + 1);
            }

            if (lines.Skip(first).TakeWhile(line => line.Length == 0 || IndentOf(line) >= depth).Any(line => Await().IsMatch(line)))
            {
                yield return $"{i + 1}: {lines[i].Trim()}";
            }
        }
    }

    private static int IndentOf(string line) => line.Length - line.TrimStart().Length;

    [GeneratedRegex(@"^ *(using|var) .*\b(NewDisposeScope|no_grad|enable_grad|set_grad_enabled|inference_mode)\(")]
    private static partial Regex Opening();

    [GeneratedRegex(@"^ +private readonly (TorchSharp\.)?DisposeScope ", RegexOptions.Multiline)]
    private static partial Regex Field();

    [GeneratedRegex(@"\bawait\b")]
    private static partial Regex Await();
}
