using ClipSae.Clip.Architecture;
using ClipSae.Clip.Training;
using ClipSae.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ClipSae.Clip.Model;

/// <summary>
/// The weights of a training's forward pass, made once a step from the parameters in few operations: the parameters are side by side in one
/// float32 buffer, what the forward pass reads in another of its own precision, with r·θ/‖θ‖ multiplied out and the activation's slope
/// worked in. Gradients go the same way back (arXiv 1710.03740: float32 master weights).
/// </summary>
public sealed class TrainingWeights : IDisposable
{
    private readonly Dictionary<string, Tensor> _weights = new(StringComparer.Ordinal);
    private readonly List<Tensor> _owned = [];
    private readonly List<Parameter> _direct = [];
    private readonly List<WeightRun> _runs = [];
    private readonly Tensor _weightGradients;
    private readonly MlpActivation _activation;

    internal TrainingWeights(ClipModel model, IReadOnlyList<IReadOnlyList<string>> groups, ScalarType type, TrainingKernels? kernels)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var parameters = model.named_parameters().ToArray();
        var device = model.LogitScale.device;
        (Type, Kernels, _activation) = (type, kernels, model.Architecture.Activation);
        Layout = new ParameterLayout(parameters.Select(p => (p.name, p.parameter.shape)), groups);
        Values = Own(zeros(Layout.Length, dtype: float32, device: device));
        Gradients = Own(zeros(Layout.TrainedLength, dtype: float32, device: device));
        foreach (var (name, parameter) in parameters)
        {
            var view = Layout[name].Of(Values);
            view.copy_(parameter);
            parameter.set_(view);
            if (IsDirect(name))
            {
                AddDirect(name, parameter);
            }
        }

        var runs = Runs().ToArray();
        static long Length(List<ParameterPlace> run) => run[^1].End - run[0].Start;
        var weights = Own(zeros(runs.Sum(Length), dtype: type, device: device));
        // Trained runs are the first; of others no gradients are kept, which is most of the memory where few weights are trained.
        _weightGradients = Own(zeros(runs.Where(run => Layout.IsTrained(run[0])).Sum(Length), dtype: type, device: device));
        long at = 0;
        foreach (var run in runs)
        {
            AddRun(run, weights.narrow(0, at, Length(run)), Layout.IsTrained(run[0]) ? _weightGradients.narrow(0, at, Length(run)) : null);
            at += Length(run);
        }

        Refresh();
    }

    /// <summary>Where each parameter is.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>All parameters, float32 [<see cref="ParameterLayout.Length"/>]; the model's own are views of it.</summary>
    public Tensor Values { get; }

    /// <summary>Gradients of the trained parameters, float32 [<see cref="ParameterLayout.TrainedLength"/>].</summary>
    public Tensor Gradients { get; }

    /// <summary>Kernels for what concerns these buffers; null on a processor.</summary>
    public TrainingKernels? Kernels { get; }

    internal ScalarType Type { get; }

    /// <summary>A weight of the forward pass, differentiable.</summary>
    /// <param name="scale">As <see cref="ClipModel.Weight"/> takes it.</param>
    internal Tensor Weight(string key, Func<Tensor, Tensor>? scale)
    {
        var weight = _weights[key];
        var factor = _activation.FactorOf(key);
        return factor == 1 ? scale?.Invoke(weight) ?? weight
            : scale is null ? weight.Times(1 / factor)
            : weight;
    }

    internal void Refresh()
    {
        using var noGrad = no_grad();
        foreach (var run in _runs)
        {
            run.Refresh();
        }
    }

    internal void SendBack()
    {
        using var noGrad = no_grad();
        foreach (var run in _runs)
        {
            run.SendBack();
        }

        _weightGradients.zero_();
    }

    public void Dispose()
    {
        foreach (var parameter in _direct.Where(parameter => !parameter.IsInvalid))
        {
            parameter.grad = null;
        }

        foreach (var tensor in _owned)
        {
            tensor.Dispose();
        }
    }

    // Few numbers whose gradients are sums over many places, and the scale of all logits, are read as they are.
    private bool IsDirect(string name) =>
        Type == float32
            ? _activation.FactorOf(name) == 1
                && !name.EndsWith(ClipKeys.Theta, StringComparison.Ordinal)
                && !name.EndsWith(ClipKeys.Radius, StringComparison.Ordinal)
            : name.Contains("embedding", StringComparison.Ordinal) || name is ClipKeys.LogitScale or ClipKeys.LogitBias;

    private void AddDirect(string name, Parameter parameter)
    {
        _weights.Add(name, parameter);
        if (Layout.IsTrained(Layout[name]))
        {
            parameter.grad = Layout[name].Of(Gradients);
            _direct.Add(parameter);
        }
    }

    /// <summary>Places that are one behind the other and become weights in the same way.</summary>
    private IEnumerable<List<ParameterPlace>> Runs()
    {
        List<ParameterPlace> run = [];
        foreach (
            var place in Layout.Places.Where(place =>
                !IsDirect(place.Name) && !place.Name.EndsWith(ClipKeys.Radius, StringComparison.Ordinal)
            )
        )
        {
            if (run.Count > 0 && !Continues(run[^1], place))
            {
                yield return run;
                run = [];
            }

            run.Add(place);
        }

        if (run.Count > 0)
        {
            yield return run;
        }
    }

    private bool Continues(ParameterPlace last, ParameterPlace place) =>
        place.Start - last.End < ParameterLayout.Alignment
        && Layout.IsTrained(last) == Layout.IsTrained(place)
        && (
            place.Name.EndsWith(ClipKeys.Theta, StringComparison.Ordinal) || last.Name.EndsWith(ClipKeys.Theta, StringComparison.Ordinal)
                ? last.End == place.Start && ParameterLayout.KindOf(last.Name) == ParameterLayout.KindOf(place.Name)
                : _activation.FactorOf(last.Name) == _activation.FactorOf(place.Name)
        );

    /// <param name="weightGradients">Null where the run is not trained.</param>
    private void AddRun(List<ParameterPlace> run, Tensor weights, Tensor? weightGradients)
    {
        var first = run[0];
        Own(weights);
        if (weightGradients is not null)
        {
            Own(weightGradients);
        }

        foreach (var place in run)
        {
            var local = place with { Start = place.Start - first.Start };
            var leaf = local.Of(weights).detach();
            leaf.requires_grad = weightGradients is not null;
            if (weightGradients is not null)
            {
                leaf.grad = local.Of(weightGradients);
            }

            _weights.Add(place.Name.Replace(ClipKeys.Theta, ClipKeys.Weight, StringComparison.Ordinal), Own(leaf));
        }

        var factor = _activation.FactorOf(first.Name);
        if (!first.Name.EndsWith(ClipKeys.Theta, StringComparison.Ordinal))
        {
            Tensor Part(Tensor buffer) => Own(buffer.narrow(0, first.Start, run[^1].End - first.Start));
            _runs.Add(
                new WeightRun.Scaled(Part(Values), weightGradients is null ? null : (Part(Gradients), weightGradients), weights, factor)
            );
            return;
        }

        var columns = first.Shape[1];
        var radii = run.Select(place => Layout[place.Name.Replace(ClipKeys.Theta, ClipKeys.Radius, StringComparison.Ordinal)]).ToArray();
        Tensor Matrix(Tensor buffer, ParameterPlace from, ParameterPlace to, long width) =>
            Own(buffer.narrow(0, from.Start, to.End - from.Start).view(-1, width));
        Tensor Radius(Tensor buffer) => Matrix(buffer, radii[0], radii[^1], 1);
        Tensor Theta(Tensor buffer) => Matrix(buffer, first, run[^1], columns);
        _runs.Add(
            new WeightRun.Geometric(
                Radius(Values),
                Theta(Values),
                weightGradients is null ? null : (Radius(Gradients), Theta(Gradients), Own(weightGradients.view(-1, columns))),
                Own(weights.view(-1, columns)),
                factor,
                Kernels
            )
        );
    }

    private Tensor Own(Tensor tensor)
    {
        _owned.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }
}
