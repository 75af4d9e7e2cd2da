using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Architecture;

/// <summary>
/// The function between the two layers of an MLP. Weights do not say which it is, and a wrong one gives features that look right.
/// </summary>
public abstract record MlpActivation
{
    private MlpActivation(string name) => Name = name;

    /// <summary>OpenAI's x·σ(1.702·x), of its own models, MetaCLIP and DFN.</summary>
    public static MlpActivation QuickGelu { get; } = new Quick();

    /// <summary>x·Φ(x) (Hendrycks and Gimpel 2016), of open_clip's models without <c>quick_gelu</c>: LAION, DataComp.</summary>
    public static MlpActivation Gelu { get; } = new Exact();

    /// <summary>GELU by the tanh that approximates Φ (Hendrycks and Gimpel 2016, section 2).</summary>
    public static MlpActivation TanhGelu { get; } = new Approximate();

    public static IReadOnlyList<MlpActivation> All { get; } = [QuickGelu, Gelu, TanhGelu];

    /// <summary>As transformers calls it in <c>hidden_act</c>.</summary>
    public string Name { get; }

    /// <summary>
    /// The function is g(slope·x)/slope, and g what is computed on activations: multiplying the weights around it, in place of the much
    /// larger activations, saves passes over memory.
    /// </summary>
    internal virtual double Slope => 1;

    /// <summary>g, differentiable.</summary>
    internal abstract torch.Tensor Apply(torch.Tensor scaled);

    /// <summary>g, in place where libtorch has it so; the result may be another tensor.</summary>
    internal abstract torch.Tensor ApplyInPlace(torch.Tensor scaled);

    public sealed override string ToString() => Name;

    /// <summary>The activation of that name, or null.</summary>
    public static MlpActivation? Find(string? name) => All.FirstOrDefault(activation => activation.Name == name);

    /// <summary>What a weight or bias next to the activation is multiplied with before it is used; 1 for all others.</summary>
    internal double FactorOf(string key) =>
        key.Contains(".mlp.c_fc.", StringComparison.Ordinal) && !key.EndsWith(ClipKeys.Radius, StringComparison.Ordinal) ? Slope
        : key.Contains(".mlp.c_proj.", StringComparison.Ordinal)
        && !key.EndsWith(".bias", StringComparison.Ordinal)
        && !key.EndsWith(ClipKeys.Radius, StringComparison.Ordinal)
            ? 1 / Slope
        : 1;

    private sealed record Quick() : MlpActivation("quick_gelu")
    {
        internal override double Slope => 1.702;

        internal override torch.Tensor Apply(torch.Tensor scaled) => torch.nn.functional.silu(scaled);

        internal override torch.Tensor ApplyInPlace(torch.Tensor scaled) => scaled.silu_();
    }

    private sealed record Exact() : MlpActivation("gelu")
    {
        internal override torch.Tensor Apply(torch.Tensor scaled) => torch.nn.functional.gelu(scaled);

        internal override torch.Tensor ApplyInPlace(torch.Tensor scaled) => torch.nn.functional.gelu(scaled);
    }

    private sealed record Approximate() : MlpActivation("gelu_pytorch_tanh")
    {
        internal override torch.Tensor Apply(torch.Tensor scaled)
        {
            using var scope = torch.NewDisposeScope();
            var inner = (scaled * scaled.Squared()).Times(0.044715).Plus(scaled).Times(Math.Sqrt(2 / Math.PI));
            return (scaled * inner.tanh().Plus(1)).Times(0.5).MoveToOuterDisposeScope();
        }

        internal override torch.Tensor ApplyInPlace(torch.Tensor scaled) => Apply(scaled);
    }
}
