using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>
/// Makes tensors on the calling thread while another writes those that are made, so that reading and computing cost no time with a slow
/// disk.
/// </summary>
internal static class WrittenAhead
{
    /// <summary>Tensors that may wait for the writing: enough that both threads are busy, few enough that memory stays small.</summary>
    private const int Waiting = 2;

    /// <param name="layouts">Name, type and sizes of every tensor, in the order in which they are written.</param>
    /// <param name="make">Gives the tensor of a name; called on this thread. The tensor is disposed after it is written.</param>
    /// <param name="write">Writes the tensor of a layout; called on another thread, one after the other.</param>
    /// <exception cref="ArgumentException">A tensor is not as its layout said.</exception>
    public static void Run(IReadOnlyList<TensorLayout> layouts, Func<string, torch.Tensor> make, Action<TensorLayout, torch.Tensor> write)
    {
        using var made = new BlockingCollection<(TensorLayout Layout, torch.Tensor Tensor)>(Waiting);
        using var stop = new CancellationTokenSource();
        ExceptionDispatchInfo? failure = null;
        var writer = new Thread(() => failure = WriteAll(made, write, stop)) { IsBackground = true, Name = "tensor writer" };
        writer.Start();
        try
        {
            foreach (var layout in layouts)
            {
                made.Add((layout, Checked(make(layout.Name).DetachFromDisposeScope(), layout)), stop.Token);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The writing failed, and says why below.
        }
        finally
        {
            made.CompleteAdding();
            writer.Join();
        }

        failure?.Throw();
    }

    private static ExceptionDispatchInfo? WriteAll(
        BlockingCollection<(TensorLayout Layout, torch.Tensor Tensor)> made,
        Action<TensorLayout, torch.Tensor> write,
        CancellationTokenSource stop
    )
    {
        ExceptionDispatchInfo? failure = null;
        foreach (var (layout, tensor) in made.GetConsumingEnumerable())
        {
            using (tensor)
            {
                if (failure is not null)
                {
                    continue;
                }

                try
                {
                    write(layout, tensor);
                }
                catch (Exception thrown)
                {
                    // It is thrown again on the calling thread, which is asked to make no more.
                    failure = ExceptionDispatchInfo.Capture(thrown);
                    stop.Cancel();
                }
            }
        }

        return failure;
    }

    private static torch.Tensor Checked(torch.Tensor tensor, TensorLayout layout)
    {
        if (tensor.dtype == layout.Type && tensor.shape.SequenceEqual(layout.Shape))
        {
            return tensor;
        }

        using (tensor)
        {
            throw new ArgumentException(
                $"'{layout.Name}' is {tensor.dtype} [{string.Join(", ", tensor.shape)}], announced was {layout}",
                nameof(tensor)
            );
        }
    }
}
