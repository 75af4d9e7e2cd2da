using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using TorchSharp;
using TorchSharp.Modules;

namespace ClipSae.Clip.Model;

public sealed partial class ClipModel
{
    private LowRankAdapter? _adapter;

    /// <summary>Whether weights are adapted (<see cref="LowRankAdapter"/>).</summary>
    public bool IsAdapted => _adapter is not null;

    /// <summary>Adapts a plain model's weights; A is fixed by the seed.</summary>
    /// <exception cref="InvalidOperationException">The model is adapted already, or in Geometric Parametrization.</exception>
    public void Attach(LowRankAdapter lowRank, long seed)
    {
        if (IsAdapted || IsGeometric)
        {
            throw new InvalidOperationException("only a plain model can be adapted, and once");
        }

        using var noGrad = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        using var generator = new torch.Generator((ulong)seed, torch.CPU);
        foreach (var (key, shape) in ClipKeys.Shapes(Architecture).Where(weight => lowRank.Adapts(weight.Key)))
        {
            var layer = LowRankAdapter.LayerOfWeight(key);
            // Uniform in ±1/√in: torch's kaiming_uniform_ with a = √5, which PEFT takes.
            var drawn = torch.rand([lowRank.Rank, shape[1]], generator: generator).Times(2).Plus(-1).Over(Math.Sqrt(shape[1]));
            register_parameter(LowRankAdapter.A + layer, new Parameter(drawn.to(LogitScale.device).DetachFromDisposeScope()));
            register_parameter(
                LowRankAdapter.B + layer,
                new Parameter(torch.zeros([shape[0], lowRank.Rank], device: LogitScale.device).DetachFromDisposeScope())
            );
        }

        _adapter = lowRank;
    }

    /// <summary>The parameters by OpenAI's keys as <see cref="StateDict"/> gives them, with every adapted weight as one.</summary>
    public IReadOnlyDictionary<string, torch.Tensor> MergedStateDict()
    {
        using var noGrad = torch.no_grad();
        return StateDict()
            .Where(weight => LowRankAdapter.LayerOf(weight.Key) is null)
            .ToDictionary(
                weight => weight.Key,
                weight => IsAdaptedWeight(weight.Key) ? Weight(weight.Key).detach() : weight.Value,
                StringComparer.Ordinal
            );
    }

    /// <summary>How far adaptation has moved the adapted weights: ‖α/rank·B·A‖/‖W‖ over all together; 0 where none is.</summary>
    public double AdapterDrift()
    {
        using var noGrad = torch.no_grad();
        double moved = 0,
            size = 0;
        foreach (var (key, weight) in StateDict().Where(weight => IsAdaptedWeight(weight.Key)))
        {
            using var scope = torch.NewDisposeScope();
            moved += Change(key, name => _internal_params[name]).Squared().sum().item<float>();
            size += weight.Squared().sum().item<float>();
        }

        return size == 0 ? 0 : Math.Sqrt(moved / size);
    }

    private bool IsAdaptedWeight(string key) =>
        _adapter is not null && _internal_params.ContainsKey(LowRankAdapter.A + LowRankAdapter.LayerOfWeight(key));

    private bool IsTowerAdapted(Transformer tower) =>
        _adapter is not null
        && named_parameters()
            .Any(parameter =>
                LowRankAdapter.LayerOf(parameter.name)?.StartsWith(tower.Prefix, StringComparison.Ordinal) == true
                && parameter.parameter.requires_grad
            );

    /// <param name="parameter">A parameter by its key, as it is used.</param>
    private torch.Tensor Change(string key, Func<string, torch.Tensor> parameter)
    {
        var layer = LowRankAdapter.LayerOfWeight(key);
        return parameter(LowRankAdapter.B + layer).mm(parameter(LowRankAdapter.A + layer)).Times(_adapter!.Alpha / _adapter.Rank);
    }
}
