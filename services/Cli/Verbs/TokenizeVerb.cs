using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Demo;
using ClipSae.Cli.Output;
using ClipSae.Clip.Tokenizers;

namespace ClipSae.Cli.Verbs;

/// <summary>Shows the token ids of texts.</summary>
internal sealed class TokenizeVerb : Verb
{
    private const int DefaultContext = 77;

    private readonly Argument<string[]> _texts = new("text") { Description = "Texts to tokenize", Arity = ArgumentArity.OneOrMore };

    private readonly ValueOption<string?> _tokenizer = new(
        "--tokenizer",
        "FILE",
        "Vocabulary in CLIP's format (.txt or .txt.gz) [default: the demo's]"
    );

    private readonly ValueOption<int?> _context = new(
        "--context",
        "N",
        $"Context length [default: {DefaultContext}; the demo's model has 16]"
    );

    public TokenizeVerb()
        : base(
            "tokenize",
            "Show the token ids that CLIP's text tower gets for a text.",
            "clipsae tokenize \"a photo of a red house\"",
            "clipsae tokenize --tokenizer bpe_simple_vocab_16e6.txt.gz --json \"a diagram\""
        )
    {
        Add(_texts, _tokenizer, _context);
    }

    public override Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        var context = arguments.GetValue(_context) ?? DefaultContext;
        WrongUseException.ThrowIf(context < 3, $"--context {context}: at least 3 are needed, for start, one word and end");

        var tokenizer = ClipTokenizer.Load(GivenPath.File("--tokenizer", arguments.GetValue(_tokenizer)) ?? DemoFiles.Tokenizer);
        var texts = new JsonArray();
        var rows = new List<IReadOnlyList<string>>();
        foreach (var text in arguments.GetValue(_texts)!)
        {
            var ids = tokenizer.Encode(text, context, out var truncated);
            var used = ids.AsSpan(0, Array.IndexOf(ids, (long)tokenizer.EndOfText) + 1).ToArray();
            texts.Add(
                new JsonObject
                {
                    ["text"] = text,
                    ["ids"] = new JsonArray([.. used.Select(id => JsonValue.Create(id))]),
                    ["truncated"] = truncated,
                }
            );
            rows.Add([text, $"{used.Length}{(truncated ? " (cut)" : "")}", string.Join(' ', used)]);
        }

        session.Answer(
            new JsonObject
            {
                ["vocabulary"] = tokenizer.VocabularySize,
                ["context"] = context,
                ["texts"] = texts,
            },
            console =>
            {
                foreach (var line in PaddedLines.Of(["text", "tokens", "ids"], rows))
                {
                    console.WriteUnfolded(line);
                }
            }
        );
        return Task.FromResult(ExitCode.Done);
    }
}
