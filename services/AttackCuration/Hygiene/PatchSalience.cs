using ClipSae.AttackCuration.Salience;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Hygiene;

/// <summary>
/// Ranks the features of an SAE by how much more they fire on printed patches than on others: standardised difference of the means.
/// </summary>
internal static class PatchSalience
{
    /// <summary>Pictures whose latents are in memory at a time.</summary>
    private const int Slice = 8;

    /// <summary>The features that fire more where something is printed, the strongest first.</summary>
    /// <param name="print">Its even families are looked at; the others are for measuring.</param>
    /// <param name="each">Runs the tower over pictures, uint8 [pictures, 3, R, R], and shows what was captured batch by batch.</param>
    public static IReadOnlyList<int> Of(SaeAtHook at, OwnPrint print, int maxCount, Action<Tensor, Action<Hooks>> each)
    {
        using var scope = NewDisposeScope();
        var device = at.Sae.EncoderRows.device;
        var learned = tensor(PatchExamples.Learned(print).Select(i => (long)i).ToArray());
        var covered = print.Covered.index_select(0, learned);
        var (printed, ground) = (new Sums(at.Sae.Latents, device), new Sums(at.Sae.Latents, device));
        void Add(Tensor pixels, Action<Tensor, Tensor> add)
        {
            var row = 0L;
            each(pixels.index_select(0, learned), hooks =>
            {
                var captured = hooks.Captured(at.Hook).to(ScalarType.Float32);
                for (long from = 0; from < captured.shape[0]; from += Slice)
                {
                    using var step = NewDisposeScope();
                    var part = captured.narrow(0, from, Math.Min(Slice, captured.shape[0] - from));
                    add(at.Sae.Encode(at.OfPatches(part)).flatten(0, 1), covered.narrow(0, row, part.shape[0]).flatten().to(device));
                    row += part.shape[0];
                }
            });
        }

        Add(print.Wrong, (latents, share) =>
        {
            printed.Add(latents, PatchExamples.IsPrinted(share));
            ground.Add(latents, share.IsAbove(0).logical_not());
        });
        Add(print.Clean, (latents, share) => ground.Add(latents, ones_like(share, ScalarType.Bool)));
        var difference = (printed.Mean - ground.Mean) / printed.Variance.Plus(ground.Variance).sqrt().AtLeast(1e-12);
        var values = difference.cpu().data<double>().ToArray();
        return
        [
            .. Enumerable.Range(0, values.Length).Where(f => values[f] > 0).OrderByDescending(f => values[f]).ThenBy(f => f).Take(maxCount),
        ];
    }

    /// <summary>Running mean and variance of every latent over chosen patches.</summary>
    private sealed class Sums(int latents, Device device)
    {
        private readonly Tensor _sum = zeros(latents, ScalarType.Float64, device);
        private readonly Tensor _squares = zeros(latents, ScalarType.Float64, device);
        private double _count;

        public Tensor Mean => _sum.Over(Math.Max(1, _count));

        public Tensor Variance => _squares.Over(Math.Max(1, _count)) - Mean.Squared();

        public void Add(Tensor values, Tensor chosen)
        {
            var weight = chosen.to(ScalarType.Float32);
            _sum.AddInPlace(values.t().mv(weight).to(ScalarType.Float64));
            _squares.AddInPlace(values.Squared().t().mv(weight).to(ScalarType.Float64));
            _count += weight.sum().item<float>();
        }
    }
}
