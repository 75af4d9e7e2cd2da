using static TorchSharp.torch;

namespace ClipSae.Clip.Training;

/// <summary>
/// Gradient checkpointing (arXiv 1604.06174): the forward pass is cut between blocks. Of a block its input alone is kept; the backward pass
/// goes from cut to cut and computes each block again. What stands before or between such blocks keeps its graph up to the next cut.
/// </summary>
/// <remarks>
/// libtorch sees only what stands behind the last cut: after its <c>backward</c>, <see cref="Backward"/> goes through the rest.
/// </remarks>
internal sealed class BlockTape : IDisposable
{
    private readonly Stack<Segment> _segments = [];

    /// <summary>A piece of the forward pass that ends in cuts.</summary>
    /// <param name="Compute">Gives the ends with their graph: computed again, or kept.</param>
    /// <param name="Cuts">What continues from there, leaves that collect the gradients of the ends.</param>
    /// <param name="Kept">Ends whose graph is kept.</param>
    private sealed record Segment(Func<IReadOnlyList<Tensor>> Compute, IReadOnlyList<Tensor> Cuts, IReadOnlyList<Tensor> Kept);

    /// <summary>Cuts behind values whose graph is kept.</summary>
    /// <returns>The values as leaves; they live until <see cref="Backward"/>.</returns>
    public IReadOnlyList<Tensor> Cut(params IReadOnlyList<Tensor> values)
    {
        var ends = values.Select(value => value.alias().DetachFromDisposeScope()).ToArray();
        Tensor[] cuts = [.. values.Select(Leaf)];
        _segments.Push(new Segment(() => ends, cuts, ends));
        return cuts;
    }

    /// <summary>Runs a block and keeps its input alone.</summary>
    /// <param name="x">A leaf that this tape gave.</param>
    /// <returns>The block's output, a leaf.</returns>
    public Tensor Run(Tensor x, Func<Tensor, Tensor> block)
    {
        using var scope = NewDisposeScope();
        Tensor output;
        using (no_grad())
        {
            output = Leaf(block(x));
        }

        _segments.Push(new Segment(() => [block(x)], [output], []));
        return output;
    }

    /// <summary>Sends the gradients of the cuts back to what they came from, last first; afterwards the tape is empty.</summary>
    public void Backward()
    {
        while (_segments.TryPop(out var segment))
        {
            using var scope = NewDisposeScope();
            var gradients = segment.Cuts.Select(cut => cut.grad).ToArray();
            if (gradients.Any(gradient => gradient is not null))
            {
                var ends = segment.Compute();
                int[] reached = [.. Enumerable.Range(0, ends.Count).Where(i => gradients[i] is not null && ends[i].requires_grad)];
                if (reached.Length > 0)
                {
                    autograd.backward([.. reached.Select(i => ends[i])], [.. reached.Select(i => gradients[i]!)]);
                }
            }

            Drop(segment);
        }
    }

    public void Dispose()
    {
        while (_segments.TryPop(out var segment))
        {
            Drop(segment);
        }
    }

    private static Tensor Leaf(Tensor value) => value.detach().requires_grad_().DetachFromDisposeScope();

    private static void Drop(Segment segment)
    {
        foreach (var tensor in segment.Cuts.Concat(segment.Kept))
        {
            tensor.Dispose();
        }
    }
}
