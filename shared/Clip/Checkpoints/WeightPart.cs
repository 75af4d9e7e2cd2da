using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Checkpoints;

/// <summary>How one weight under OpenAI's key is made of what a file holds.</summary>
internal abstract record WeightPart
{
    private WeightPart() { }

    /// <summary>The tensor of the file that says the element type.</summary>
    public abstract TensorEntry Leader { get; }

    /// <summary>Element type, or null where TorchSharp has none for it.</summary>
    public virtual torch.ScalarType? ScalarType => Leader.ScalarType;

    /// <summary>Element type by its safetensors name.</summary>
    public string Dtype => Leader.Dtype;

    /// <summary>Whether the element type holds weights without scales.</summary>
    public bool IsComputable => Dtype is "F16" or "BF16" or "F32" or "F64";

    public abstract IReadOnlyList<long> Shape { get; }

    /// <summary>The weight; the caller owns it.</summary>
    /// <param name="nonFinite">Where NaN and infinity are counted, by the file's own names.</param>
    public abstract torch.Tensor Read(NonFiniteValues nonFinite);

    /// <summary>The tensors of the file that would make this weight, by their names: the way back of <see cref="Read"/>.</summary>
    /// <param name="weight">A weight of this <see cref="Shape"/>.</param>
    /// <returns>Contiguous tensors of the file's sizes, in the weight's own element type; they belong to the scope of the caller.</returns>
    /// <exception cref="NotSupportedException">The weight is computed of others.</exception>
    public abstract IEnumerable<KeyValuePair<string, torch.Tensor>> Write(torch.Tensor weight);

    /// <summary>The tensor as it is.</summary>
    public sealed record Plain(ITensorFile File, string Key) : WeightPart
    {
        public override TensorEntry Leader => File.Entries[Key];

        public override IReadOnlyList<long> Shape => File.Entries[Key].Shape;

        public override torch.Tensor Read(NonFiniteValues nonFinite) => File.Read(Key, nonFinite);

        public override IEnumerable<KeyValuePair<string, torch.Tensor>> Write(torch.Tensor weight) => [new(Key, weight.contiguous())];
    }

    /// <summary>A list of one number as that number.</summary>
    public sealed record Single(ITensorFile File, string Key) : WeightPart
    {
        public override TensorEntry Leader => File.Entries[Key];

        public override IReadOnlyList<long> Shape => [];

        public override torch.Tensor Read(NonFiniteValues nonFinite)
        {
            using var scope = torch.NewDisposeScope();
            return File.Read(Key, nonFinite).view([]).MoveToOuterDisposeScope();
        }

        public override IEnumerable<KeyValuePair<string, torch.Tensor>> Write(torch.Tensor weight) => [new(Key, weight.reshape(1))];
    }

    /// <summary>A matrix with its axes changed round.</summary>
    public sealed record Transposed(ITensorFile File, string Key) : WeightPart
    {
        public override TensorEntry Leader => File.Entries[Key];

        public override IReadOnlyList<long> Shape => [.. File.Entries[Key].Shape.Reverse()];

        public override torch.Tensor Read(NonFiniteValues nonFinite)
        {
            using var scope = torch.NewDisposeScope();
            var stored = File.Read(Key, nonFinite);
            return (stored.dim() == 2 ? stored.t().contiguous() : stored).MoveToOuterDisposeScope();
        }

        public override IEnumerable<KeyValuePair<string, torch.Tensor>> Write(torch.Tensor weight) =>
            [new(Key, (weight.dim() == 2 ? weight.t() : weight).contiguous())];
    }

    /// <summary>Rows of query, key and value, one behind the other.</summary>
    public sealed record Stacked(ITensorFile File, string[] Keys) : WeightPart
    {
        public override TensorEntry Leader => File.Entries[Keys[0]];

        public override IReadOnlyList<long> Shape =>
            [Keys.Sum(key => File.Entries[key].Shape.FirstOrDefault()), .. File.Entries[Keys[0]].Shape.Skip(1)];

        public override torch.Tensor Read(NonFiniteValues nonFinite)
        {
            using var scope = torch.NewDisposeScope();
            var whole = LargePages.Empty([.. Shape], Leader.ScalarType!.Value);
            long row = 0;
            foreach (var key in Keys)
            {
                using var part = File.Read(key, nonFinite);
                whole.narrow(0, row, part.shape[0]).copy_(part);
                row += part.shape[0];
            }

            return whole.MoveToOuterDisposeScope();
        }

        public override IEnumerable<KeyValuePair<string, torch.Tensor>> Write(torch.Tensor weight)
        {
            var rows = weight.shape[0] / Keys.Length;
            return Keys.Select((key, at) => KeyValuePair.Create(key, weight.narrow(0, at * rows, rows).contiguous()));
        }
    }

    /// <summary>A weight with a low-rank change W + scale·B·A on some of its rows, in float32.</summary>
    /// <param name="Base">W.</param>
    /// <param name="File">Holds A [rank, in] and B [out, rank].</param>
    /// <param name="A">Key of A.</param>
    /// <param name="B">Key of B.</param>
    /// <param name="Scale">Of the product.</param>
    /// <param name="FirstRow">Where the rows of the change begin in W.</param>
    /// <param name="IsTransposed">Whether W is kept with its axes changed round.</param>
    public sealed record Adapted(WeightPart Base, ITensorFile File, string A, string B, double Scale, long FirstRow, bool IsTransposed)
        : WeightPart
    {
        public override TensorEntry Leader => Base.Leader;

        public override torch.ScalarType? ScalarType => Base.ScalarType is null ? null : torch.ScalarType.Float32;

        public override IReadOnlyList<long> Shape => Base.Shape;

        public override torch.Tensor Read(NonFiniteValues nonFinite)
        {
            using var scope = torch.NewDisposeScope();
            var weight = Base.Read(nonFinite).to(torch.float32);
            var change = File.Read(B, nonFinite).to(torch.float32).mm(File.Read(A, nonFinite).to(torch.float32)).Times(Scale);
            change = IsTransposed ? change.t() : change;
            return torch
                .cat([
                    weight.narrow(0, 0, FirstRow),
                    weight.narrow(0, FirstRow, change.shape[0]).Plus(change),
                    weight.narrow(0, FirstRow + change.shape[0], weight.shape[0] - FirstRow - change.shape[0]),
                ])
                .MoveToOuterDisposeScope();
        }

        public override IEnumerable<KeyValuePair<string, torch.Tensor>> Write(torch.Tensor weight) =>
            throw new NotSupportedException("a sum has no single way back to its parts");
    }

    /// <summary>The product of r and θ, in float32.</summary>
    public sealed record Materialized(WeightPart Radius, WeightPart Theta) : WeightPart
    {
        public override TensorEntry Leader => Theta.Leader;

        public override torch.ScalarType? ScalarType => Theta.ScalarType is null ? null : torch.ScalarType.Float32;

        public override IReadOnlyList<long> Shape => Theta.Shape;

        public override torch.Tensor Read(NonFiniteValues nonFinite)
        {
            using var scope = torch.NewDisposeScope();
            return GeometricParametrization
                .Materialize(Radius.Read(nonFinite).to(torch.float32), Theta.Read(nonFinite).to(torch.float32))
                .MoveToOuterDisposeScope();
        }

        public override IEnumerable<KeyValuePair<string, torch.Tensor>> Write(torch.Tensor weight) =>
            throw new NotSupportedException("a product has no single way back to its factors");
    }
}
