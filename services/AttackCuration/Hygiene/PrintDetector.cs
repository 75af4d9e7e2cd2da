using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Salience;
using ClipSae.AttackCuration.Settings;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Hygiene;

/// <summary>
/// Says of every patch whether something is printed there, from those features of the SAEs alone that fire where curation prints: a
/// logistic regression on their activations, learned from curation's own print.
/// </summary>
public sealed class PrintDetector : IDisposable
{
    private readonly VisionPlan _vision;
    private readonly IReadOnlyList<Listened> _listened;
    private readonly LogisticRegression _model;
    private readonly int _batch;
    private readonly Device _device;

    private PrintDetector(
        VisionPlan vision,
        IReadOnlyList<Listened> listened,
        LogisticRegression model,
        int batch,
        Device device,
        double auroc,
        double randomAuroc
    )
    {
        (_vision, _listened, _model, _batch, _device) = (vision, listened, model, batch, device);
        (Auroc, RandomAuroc) = (auroc, randomAuroc);
    }

    /// <summary>An SAE and those of its features that are listened to.</summary>
    public sealed record Listened(SaeAtHook At, IReadOnlyList<int> Features);

    /// <summary>Where it looks.</summary>
    public IEnumerable<HookPoint> Hooks => _listened.Select(part => part.At.Hook);

    /// <summary>Features that it listens to.</summary>
    public int Features => _listened.Sum(part => part.Features.Count);

    /// <summary>How well it distinguished printed from other patches on families of print that it had not learned from.</summary>
    public double Auroc { get; }

    /// <summary>The same with as many random features that fire as much.</summary>
    public double RandomAuroc { get; }

    /// <summary>Learns from every family of print; how well it does is measured on every second one, learned from the others.</summary>
    /// <param name="rows">The causal sweep's rows, whose surveys give every chosen feature a random twin.</param>
    /// <exception cref="UserErrorException">No SAE is at a point with tokens.</exception>
    public static PrintDetector Fit(
        VisionPlan vision,
        IReadOnlyList<CausalSweep.Row> rows,
        OwnPrint print,
        AttackCurationOptions options,
        Device device,
        CancellationToken cancel
    )
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        CausalSweep.Row[] points =
        [
            .. rows.Where(row => row.Hook.Hook.HasTokens)
                .GroupBy(row => row.Hook.Name)
                .Select(same => same.MaxBy(row => row.Salient.Count)!),
        ];
        UserErrorException.ThrowIf(
            points.Length == 0,
            $"curation.captionHygiene: it finds print patch by patch, "
                + $"which no SAE here can ({string.Join(", ", rows.Select(row => row.Hook.Name).Distinct())}); "
                + $"add residual@L or mlp@L to extraction.hookPoints, or set curation.captionHygiene=keep"
        );

        var maxCount = PatchExamples.MaxFeatures / points.Length;
        Listened[] salient =
        [
            .. points.Select(row => new Listened(
                row.Hook,
                PatchSalience.Of(row.Hook, print, maxCount, (pixels, captured) =>
                    Each(vision, [new Listened(row.Hook, [])], pixels, options.BatchSize, device, captured, cancel)
                )
            )),
        ];
        Listened[] random =
        [
            .. points.Zip(salient, (row, part) => new Listened(row.Hook, row.Survey.MatchedRandom(part.Features, options.Seed, 0))),
        ];
        var (ofSalient, ofRandom) = PatchExamples.Of(salient, random, print, (pixels, captured) =>
            Each(vision, salient, pixels, options.BatchSize, device, captured, cancel)
        );
        return new PrintDetector(
            vision,
            salient,
            ofSalient.Learn(),
            options.BatchSize,
            device,
            ofSalient.AurocOnOtherFamilies(),
            ofRandom.AurocOnOtherFamilies()
        );
    }

    /// <summary>Asks a pass for what <see cref="Patches"/> needs.</summary>
    public Hooks Capture() => Capture(_listened);

    /// <summary>Log-odds that something is printed on each patch and about it, float32 [pictures, patches] on the CPU.</summary>
    /// <param name="hooks">After a pass that they were handed to.</param>
    public Tensor Patches(Hooks hooks)
    {
        using var scope = NewDisposeScope();
        var latents = Latents(_listened, hooks);
        var pictures = hooks.Captured(_listened[0].At.Hook).shape[0];
        return PatchExamples.Smoothed(_model.LogOdds(latents).view(pictures, -1)).cpu().MoveToOuterDisposeScope();
    }

    /// <summary>The same of pictures, uint8 [pictures, 3, R, R].</summary>
    public Tensor PatchesOf(Tensor pixels, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        Each(_vision, _listened, pixels, _batch, _device, hooks => parts.Add(Patches(hooks).MoveToOuterDisposeScope()), cancel);
        return cat(parts).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// How much is printed on each picture: the mean over the sixteenth of its patches with the highest log-odds, [pictures].
    /// </summary>
    /// <param name="patches">As <see cref="Patches"/> gives them.</param>
    public static float[] Scores(Tensor patches)
    {
        using var scope = NewDisposeScope();
        return patches.topk((int)Math.Max(1, patches.shape[1] / 16)).values.mean([1]).data<float>().ToArray();
    }

    /// <summary>Activations of the features on each patch before the largest are selected, [pictures · patches, features].</summary>
    public static Tensor Latents(IReadOnlyList<Listened> listened, Hooks hooks) =>
        cat(
            [
                .. listened.Select(part =>
                {
                    var captured = hooks.Captured(part.At.Hook).to(ScalarType.Float32);
                    return part.At.Sae.Features(part.At.OfPatches(captured), part.Features).flatten(0, 1);
                }),
            ],
            1
        );

    public void Dispose() => _model.Dispose();

    private static Hooks Capture(IReadOnlyList<Listened> listened)
    {
        var hooks = new Hooks();
        foreach (var part in listened.DistinctBy(part => part.At.Hook))
        {
            hooks.Capture(part.At.Hook);
        }

        return hooks;
    }

    private static void Each(
        VisionPlan vision,
        IReadOnlyList<Listened> listened,
        Tensor pixels,
        int batch,
        Device device,
        Action<Hooks> captured,
        CancellationToken cancel
    ) => ImageBatches.Each(pixels, vision.Architecture.Family.Normalization, batch, device, cancel, images =>
        {
            var hooks = Capture(listened);
            vision.Run(images, hooks);
            captured(hooks);
        });
}
