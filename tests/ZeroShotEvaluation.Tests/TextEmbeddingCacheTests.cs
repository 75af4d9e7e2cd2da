using ClipSae.Artifacts;
using ClipSae.Pipeline.Stages;
using ClipSae.TestKit.Files;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class TextEmbeddingCacheTests : IDisposable
{
    private static readonly TextRequest Request = new(["cat", "dog"], ["a photo of a {}"], MayCut: false);
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Parts => ["texts", "order", "templates", "model", "tokenizer", "device", "threads"];

    [Theory]
    [MemberData(nameof(Parts))]
    public async Task Whatever_decides_the_embeddings_is_part_of_the_key(string part)
    {
        var cache = Cache();
        await cache.SaveAsync(Key(Request), new TextTable([1, 0, 0, 1], 2, 0), 1, _folder.Path, default);
        var threads = torch.get_num_threads();
        try
        {
            torch.set_num_threads(part == "threads" ? threads + 1 : threads);
            var other = part switch
            {
                "texts" => Key(Request with { Names = ["cat", "dogs"] }),
                "order" => Key(Request with { Names = ["dog", "cat"] }),
                "templates" => Key(Request with { Templates = ["a {}"] }),
                "model" => Key(Request, model: "sha256:other"),
                "tokenizer" => Key(Request, tokenizer: "sha256:other"),
                "device" => Key(Request, device: "cuda:0"),
                _ => Key(Request),
            };

            (await cache.FindAsync(other, default)).ShouldBeNull();
        }
        finally
        {
            torch.set_num_threads(threads);
        }

        (await cache.FindAsync(Key(Request), default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task What_was_kept_comes_back_to_the_bit()
    {
        var table = new TextTable([1f / 3, -0f, float.Epsilon, 7, 8, 9], 3, 2);
        await Cache().SaveAsync(Key(Request), table, 1, _folder.Path, default);

        var found = (await Cache().FindAsync(Key(Request), default))!;

        found.Values.Select(BitConverter.SingleToInt32Bits).ShouldBe(table.Values.Select(BitConverter.SingleToInt32Bits));
        (found.Width, found.Cut).ShouldBe((3, 2));
    }

    [Fact]
    public async Task A_request_without_texts_is_kept_like_any_other()
    {
        await Cache().SaveAsync(Key(Request with { Names = [] }), new TextTable([], 3, 0), 1, _folder.Path, default);

        var found = (await Cache().FindAsync(Key(Request with { Names = [] }), default))!;

        (found.Values.Length, found.Width, found.Cut).ShouldBe((0, 3, 0));
    }

    [Fact]
    public async Task Embeddings_that_left_the_store_are_computed_again()
    {
        await Cache().SaveAsync(Key(Request), new TextTable([1, 0, 0, 1], 2, 0), 1, _folder.Path, default);
        Directory.Delete(_folder.File("store"), recursive: true);

        (await Cache().FindAsync(Key(Request), default)).ShouldBeNull();
    }

    public void Dispose() => _folder.Dispose();

    private TextEmbeddingCache Cache() =>
        new(
            new FolderArtifactStore(_folder.File("store")),
            new StageResults(new FolderObjectStore(_folder.File("results"))),
            "run",
            TimeProvider.System
        );

    private static StageKeyParts Key(
        TextRequest request,
        string model = "sha256:model",
        string tokenizer = "sha256:tokenizer",
        string device = "cpu"
    ) => TextEmbeddingCache.KeyOf(request, model, tokenizer, device);
}
