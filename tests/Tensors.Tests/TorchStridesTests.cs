using ClipSae.Tensors.Torch;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Tensors.Tests;

/// <summary>Views of storages in files of PyTorch, against what libtorch's own <c>as_strided</c> gives for the same numbers.</summary>
public sealed class TorchStridesTests : IDisposable
{
    private static readonly float[] Small = [.. Enumerable.Range(0, 400).Select(place => (float)place)];

    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<bool, string> Kinds =>
        new(
            from legacy in new[] { false, true }
            from view in new[] { "transposed", "channels last", "every second column", "from the middle" }
            select (legacy, view)
        );

    // From 2 MiB on, memory is aligned by hand, and no longer begins where its storage does.
    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_large_tensor_that_is_not_contiguous_is_read_as_PyTorch_does(bool legacy, string name)
    {
        var storage = new float[(1024 * 768) + 1024];
        var random = new Random(1);
        for (var place = 0; place < storage.Length; place++)
        {
            storage[place] = random.NextSingle();
        }

        StridedArchive.View view = name switch
        {
            "transposed" => new("visual.proj", 0, [1024, 768], [1, 1024]),
            "channels last" => new("visual.conv1.weight", 7, [1024, 3, 16, 16], [768, 1, 48, 3]),
            "every second column" => new("visual.proj", 3, [768, 512], [1024, 2]),
            _ => new("visual.proj", 1000, [768, 1024], [1, 768]),
        };

        Read(legacy, storage, view).ShouldBe([true]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Random_views_with_any_offset_overlap_and_strides_of_0_are_read_as_PyTorch_does(bool legacy)
    {
        var random = new Random(2);
        for (var file = 0; file < 150; file++)
        {
            var views = new List<StridedArchive.View>();
            // Together they may take twice the file.
            for (long left = 700; views.Count < 4; )
            {
                var view = Draw(random, views.Count);
                var elements = view.Shape.Aggregate(1L, (product, size) => product * size);
                if (elements <= left)
                {
                    views.Add(view);
                    left -= elements;
                }
            }

            Read(legacy, Small, [.. views])
                .ShouldAllBe(
                    same => same,
                    $"file {file}: "
                        + string.Join(
                            "; ",
                            views.Select(view => $"{view.Offset} [{string.Join(", ", view.Shape)}] / [{string.Join(", ", view.Strides)}]")
                        )
                );
        }
    }

    [Fact]
    public void A_number_repeated_by_strides_of_0_beyond_twice_the_file_is_refused()
    {
        StridedArchive.WriteZip(_folder.File("x.pt"), Small, new StridedArchive.View("a", 0, [1000, 1000], [0, 0]));

        Should.Throw<UserErrorException>(() => TorchFile.Open(_folder.File("x.pt"))).Message.ShouldContain("take 4000000 bytes");
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    // Up to four axes whose last element still lies in the storage.
    private static StridedArchive.View Draw(Random random, int place)
    {
        var (shape, strides) = (new long[random.Next(5)], new List<long>());
        var offset = random.Next(Small.Length);
        long room = Small.Length - 1 - offset;
        for (var axis = 0; axis < shape.Length; axis++)
        {
            shape[axis] = random.Next(10) == 0 ? 0 : random.Next(1, 7);
            var longest = shape[axis] > 1 ? room / (shape[axis] - 1) : 1000;
            var stride = random.Next(4) == 0 ? 0 : random.NextInt64(Math.Min(longest, 40) + 1);
            strides.Add(stride);
            room -= Math.Max(0, shape[axis] - 1) * stride;
        }

        return new StridedArchive.View($"t{place}", offset, shape, [.. strides]);
    }

    private IEnumerable<bool> Read(bool legacy, float[] storage, params StridedArchive.View[] views)
    {
        var path = _folder.File("x.pt");
        (legacy ? (Action<string, float[], StridedArchive.View[]>)StridedArchive.WriteLegacy : StridedArchive.WriteZip)(
            path,
            storage,
            views
        );
        using var file = TorchFile.Open(path);
        var whole = torch.tensor(storage);
        return
        [
            .. views.Select(view =>
            {
                using var scope = torch.NewDisposeScope();
                var (read, expected) = (file.Read(view.Name), whole.as_strided(view.Shape, view.Strides, view.Offset));
                return read.is_contiguous() && read.shape.SequenceEqual(view.Shape) && read.Equals(expected.contiguous());
            }),
        ];
    }
}
