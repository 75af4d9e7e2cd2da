using ClipSae.Clip.Architecture;
using ClipSae.Clip.Training;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Model;

/// <summary>
/// What to do at which hook points during one forward pass. It is handed to the call, so nothing stays hooked afterwards.
/// Actions on one point run in the order they were added: a capture before a scaling sees the value as it was, one after it
/// the scaled value. All of it is differentiable.
/// </summary>
public sealed class Hooks
{
    private readonly Dictionary<HookPoint, List<Func<torch.Tensor, torch.Tensor>>> _actions = [];
    private readonly Dictionary<HookPoint, torch.Tensor> _captured = [];

    /// <summary>Points with at least one action.</summary>
    public IReadOnlyCollection<HookPoint> Points => _actions.Keys;

    /// <summary>Keeps the value; read it with <see cref="Captured"/> after the call. It lives in the caller's dispose scope.</summary>
    public Hooks Capture(HookPoint point) => Add(point, value =>
        {
            // An alias shares the storage but outlives the scope in which the model drops its intermediates.
            _captured[point] = value.alias().DetachFromDisposeScope();
            return value;
        });

    /// <summary>
    /// Shows the value to <paramref name="look"/> and keeps nothing: for what is reduced on the spot. Tensors made there are dropped with
    /// the call.
    /// </summary>
    public Hooks Observe(HookPoint point, Action<torch.Tensor> look) => Add(point, value =>
        {
            look(value);
            return value;
        });

    /// <summary>Puts what <paramref name="replacement"/> returns in the value's place; same shape.</summary>
    public Hooks Replace(HookPoint point, Func<torch.Tensor, torch.Tensor> replacement) => Add(point, value =>
        {
            var replaced = replacement(value);
            return replaced.shape.SequenceEqual(value.shape)
                ? replaced
                : throw new ArgumentException(
                    $"the replacement at {point} is [{string.Join(", ", replaced.shape)}] in place of [{string.Join(", ", value.shape)}]"
                );
        });

    /// <summary>Multiplies the given components of the last axis by a factor.</summary>
    /// <param name="neuronIndices">Indices [n], int64.</param>
    public Hooks Scale(HookPoint point, torch.Tensor neuronIndices, double factor) => Add(point, value =>
        {
            var factors = torch
                .ones(value.shape[^1], dtype: value.dtype, device: value.device)
                .FillInPlace(0, neuronIndices.to(value.device), factor);
            return value * factors;
        });

    /// <summary>The value captured in the last call.</summary>
    /// <exception cref="KeyNotFoundException">The point was not captured, or no call was made.</exception>
    public torch.Tensor Captured(HookPoint point) =>
        _captured.TryGetValue(point, out var value) ? value : throw new KeyNotFoundException($"nothing was captured at {point}");

    internal bool Touches(HookPoint point) => _actions.ContainsKey(point);

    internal bool TouchesLayer(int layer) => _actions.Keys.Any(point => point.LayerIndex == layer);

    internal torch.Tensor Apply(HookPoint point, torch.Tensor value) =>
        _actions.TryGetValue(point, out var list) ? list.Aggregate(value, (v, action) => action(v)) : value;

    /// <summary>Cuts behind a block together with what was captured in it, so that gradients of both go back through it at once.</summary>
    /// <returns>The block's output, cut.</returns>
    internal torch.Tensor Cut(BlockTape tape, int layer, torch.Tensor output)
    {
        HookPoint[] points = [.. _captured.Keys.Where(point => point.LayerIndex == layer)];
        var cuts = tape.Cut([output, .. points.Select(point => _captured[point])]);
        foreach (var (point, cut) in points.Zip(cuts.Skip(1)))
        {
            _captured[point].Dispose();
            _captured[point] = cut.alias().DetachFromDisposeScope();
        }

        return cuts[0];
    }

    /// <summary>Starts a call: checks the points against the model and forgets what an earlier call captured.</summary>
    /// <param name="isText">Whether the call computes texts; otherwise images.</param>
    internal void Begin(ClipArchitecture architecture, bool isText = false)
    {
        foreach (var point in _actions.Keys)
        {
            if (point.CheckedFor(architecture).IsText != isText)
            {
                throw new ArgumentException(
                    $"hook point {point} is not in the {(isText ? "text" : "vision")} tower, which this call computes"
                );
            }
        }

        _captured.Clear();
    }

    /// <summary>Ends a call: what was captured goes to the dispose scope in which its result lives, the caller's.</summary>
    internal void End(torch.Tensor result)
    {
        foreach (var value in _captured.Values)
        {
            value.MoveToOtherDisposeScope(result);
        }
    }

    /// <summary>A call that computes only as deep as the points reach and gives nothing but what was captured.</summary>
    /// <param name="toDepth">Computes up to and with the given block.</param>
    /// <param name="whole">Computes everything, for the sake of the embedding; a call of its own.</param>
    /// <param name="isText">Whether the call computes texts; otherwise images.</param>
    internal void RunShallow(ClipArchitecture architecture, Action<int> toDepth, Action whole, bool isText = false)
    {
        if (_actions.Count == 0)
        {
            return;
        }

        var depth = _actions.Keys.Max(point => point.LayerIndex ?? int.MaxValue);
        if (depth == int.MaxValue)
        {
            whole();
            return;
        }

        Begin(architecture, isText);
        using var anchor = torch.empty(0);
        using (torch.NewDisposeScope())
        {
            toDepth(depth);
        }

        End(anchor);
    }

    private Hooks Add(HookPoint point, Func<torch.Tensor, torch.Tensor> action)
    {
        if (!_actions.TryGetValue(point, out var list))
        {
            _actions[point] = list = [];
        }

        list.Add(action);
        return this;
    }
}
