using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using ClipSae.TestKit.Sources;

namespace ClipSae.Architecture.Tests;

/// <summary>
/// Words of users' texts and of comments: what an engineer would not write, with what to write instead. Read are the string literals of
/// the product's assemblies (errors, help, logs, progress, the report), the comments of its sources and the documents.
/// </summary>
public sealed class GlossaryTests
{
    private static readonly (string Avoided, string Instead)[] Glossary =
    [
        (@"told|tells?", "say, show, report, send"),
        (@"beside", "next to"),
        (@"anew", "again"),
        (@"mend(s|ed|ing)?", "fix"),
        (@"amiss|at hand|all the same", "wrong; available; anyway"),
        (@"(go|goes|going|went) (on|away)", "continue; disappear"),
        (@"takes? up|took up|taken up|takes in", "start; read"),
        (@"where there (is|are)", "if there is, with"),
        (@"comes? along", "is included, bundled"),
        (@"stands? still", "is stalled"),
        (@"without a word", "without an error message"),
        (@"of no use", "useless"),
        (@"begun", "started"),
        (@"lies?", "is"),
        (@"bears? (a )?print(ed)?", "has or contains print"),
        (@"not suffice", "is not enough"),
        (@"computed here", "supported"),
        (@"(is|are) no (name|number|family|null|list|JSON|setting|field|weight|finite|valid|test)\w*", "is not a"),
        (@"no worker takes", "no worker handles"),
    ];

    // Texts that are part of artifacts: other words would be other digests.
    private static readonly string[] Stored =
    [
        "no .txt with a caption beside it",
        "the .txt beside it ",
        "ClipSae and fine-tuning code with Geometric Parametrization, for going on",
        "embeddings lie in ",
        "\n\nEach was loaded again from disk and run beside its source on ",
    ];

    [Fact]
    public void Texts_for_users_are_in_the_fields_words()
    {
        var texts = Product.Assemblies.SelectMany(Literals).ToArray();
        texts.Length.ShouldBeGreaterThan(3_000, "the literals are read");
        texts.SelectMany(text => Avoided(text.Text).Select(found => $"{text.Assembly}: \"{text.Text}\": {found}")).ShouldBeEmpty();
    }

    // What stands between backticks are names that a format or a command has.
    [Theory]
    [MemberData(nameof(DocumentTests.Documents), MemberType = typeof(DocumentTests))]
    public void Documents_are_in_the_fields_words(string document) =>
        File.ReadLines(Path.Combine(Solution.Root, document))
            .Index()
            .SelectMany(line => Avoided(Regex.Replace(line.Item, "`[^`]*`", "``")).Select(found => $"{document}:{line.Index + 1}: {found}"))
            .ShouldBeEmpty();

    // Names in attributes, and what stands between <c> and </c>, are code's.
    [Fact]
    public void Comments_are_in_the_fields_words() =>
        Solution
            .Sources("services", "shared")
            .SelectMany(path =>
                File.ReadLines(path)
                    .Index()
                    .Where(line => line.Item.AsSpan().TrimStart().StartsWith("//", StringComparison.Ordinal))
                    .SelectMany(line =>
                        Avoided(Regex.Replace(line.Item, @"=""[^""]*""|<c>.*?</c>", ""))
                            .Select(found => $"{Path.GetFileName(path)}:{line.Index + 1}: {found}")
                    )
            )
            .ShouldBeEmpty();

    [Fact]
    public void Every_avoided_word_is_found()
    {
        Avoided("the worker goes on, whose file lies beside it").Count().ShouldBe(3);
        Avoided("GetBesideFile stolider mendacity").ShouldBeEmpty();
    }

    private static IEnumerable<string> Avoided(string text) =>
        from entry in Glossary
        where Regex.IsMatch(text, $@"(?<![\w-])({entry.Avoided})(?![\w-])")
        select $"instead of {entry.Avoided} write: {entry.Instead}";

    private static List<(string Assembly, string Text)> Literals(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        var texts = new List<(string, string)>();
        for (var handle = MetadataTokens.UserStringHandle(1); !handle.IsNil; handle = metadata.GetNextHandle(handle))
        {
            if (
                metadata.GetUserString(handle) is var text
                && text.Contains(' ', StringComparison.Ordinal)
                && !Stored.Any(stored => text.StartsWith(stored, StringComparison.Ordinal))
            )
            {
                texts.Add((Path.GetFileName(assembly), text));
            }
        }

        return texts;
    }
}
