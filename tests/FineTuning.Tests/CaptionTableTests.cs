using ClipSae.FineTuning.Data;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class CaptionTableTests : IDisposable
{
    private const int Context = 16;
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly CaptionTable _table = new(
        [
            ["a cat"],
            ["a dog", "the dog"],
            ["a cat"],
            ["a tree"],
        ],
        TuningSetup.Tokenizer,
        Context
    );

    public void Dispose()
    {
        _table.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Equal_captions_are_one_row() => _table.Count.ShouldBe(4);

    [Fact]
    public void A_batch_holds_its_different_captions_once()
    {
        var (tokens, caption) = _table.Batch([3, 0, 2, 0], _ => 0);

        caption.data<long>().ShouldBe([0L, 1, 1, 1]);
        tokens.shape.ShouldBe([2, Context]);
        tokens[0].data<long>().ToArray().ShouldBe(Ids("a tree"));
        tokens[1].data<long>().ToArray().ShouldBe(Ids("a cat"));
    }

    [Theory]
    [InlineData(0, "a dog")]
    [InlineData(1, "the dog")]
    public void One_of_several_captions_is_drawn(int drawn, string caption)
    {
        var asked = 0;
        var (tokens, _) = _table.Batch([1], choices =>
        {
            asked = choices;
            return drawn;
        });

        asked.ShouldBe(2);
        tokens[0].data<long>().ToArray().ShouldBe(Ids(caption));
    }

    [Fact]
    public void Captions_longer_than_the_context_are_counted()
    {
        using var cut = new CaptionTable(
            [
                ["a cat"],
                ["a photo of a cat, a dog and a tree"],
            ],
            TuningSetup.Tokenizer,
            5
        );

        cut.TruncatedCount.ShouldBe(1);
        _table.TruncatedCount.ShouldBe(0);
    }

    private static long[] Ids(string caption) => TuningSetup.Tokenizer.Encode(caption, Context, out _);
}
