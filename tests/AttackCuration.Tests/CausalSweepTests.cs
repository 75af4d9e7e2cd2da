using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Salience;
using ClipSae.AttackCuration.Settings;
using ClipSae.Results.Curation;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Tests;

public sealed class CausalSweepTests : IDisposable
{
    // Two of the four latents that fire on these pictures.
    private static readonly AttackCurationOptions Options = new()
    {
        SalientShares = [0.5],
        RandomDraws = 3,
        BatchSize = 7,
    };

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly PlantedReader _reader = new();
    private readonly WordPairs _pairs = PlantedReader.Draw();

    public void Dispose()
    {
        _pairs.Dispose();
        _reader.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void The_planted_reader_is_good_and_vulnerable()
    {
        Measure(_pairs).ShouldBe(new AttackAccuracy(1, 0, 1));
        // What cannot be read does not fool it.
        Measure(_pairs with { Word = _pairs.Control }).ShouldBe(new AttackAccuracy(1, 1, 0));
    }

    [Fact]
    public void The_features_that_read_text_are_found_and_ablating_them_heals()
    {
        var row = Sweep([_reader.AtNeurons]).ShouldHaveSingleItem();

        row.Salient.Select(s => s.Feature).Order().ShouldBe(PlantedReader.ReadingNeurons);
        row.Before.ShouldBe(new AttackAccuracy(1, 0, 1));
        row.Ablation.ShouldBe(new AttackAccuracy(1, 1, 0));
        row.Random.Count.ShouldBe(3);
        row.Random.ShouldAllBe(r => r.Attacked == 0 && r.Clean == 1);
        row.Effect.ShouldBe(1);
    }

    [Fact]
    public void The_place_is_chosen_by_effect()
    {
        // In the embedding's SAE no latent is the word's alone: class and word share one direction.
        var embedding = RandomClip.Autoencoder(_reader.Model, new Clip.Architecture.HookPoint.ImageEmbedding());
        var rows = Sweep([embedding, _reader.AtNeurons]);

        rows.MaxBy(r => r.Effect)!.Hook.ShouldBe(_reader.AtNeurons);
    }

    [Fact]
    public void Clean_accuracy_lost_counts_twice()
    {
        var row = Sweep([_reader.AtNeurons])[0] with
        {
            Ablation = new AttackAccuracy(0.9, 0.6, 0.1),
            Random = [new AttackAccuracy(1, 0.1, 0.8), new AttackAccuracy(0.96, 0.3, 0.6)],
        };

        // .6 − .2 − 2·(.98 − .9).
        row.Effect.ShouldBe(0.24, 1e-12);
    }

    [Fact]
    public void It_follows_from_its_input()
    {
        var (first, second) = (Sweep([_reader.AtNeurons])[0], Sweep([_reader.AtNeurons])[0]);

        second.Salient.ShouldBe(first.Salient);
        second.Random.ShouldBe(first.Random);
    }

    [Fact]
    public void Progress_counts_every_ablation_even_where_nothing_is_salient()
    {
        var done = new List<int>();
        // Word and control are the same picture: nothing reads text here.
        var rows = CausalSweep.Run(
            _reader.Vision,
            _reader.Classifier,
            [_reader.AtNeurons],
            _pairs with
            {
                Word = _pairs.Clean,
            },
            _pairs,
            Options with
            {
                SalientShares = [0.1, 0.3],
            },
            CPU,
            done.Add,
            CancellationToken.None
        );

        rows.ShouldBeEmpty();
        done.ShouldBe([1, 2]);
    }

    private AttackAccuracy Measure(WordPairs shown) =>
        AttackMeasurement.Of(_reader.Vision, _reader.Classifier, shown, 7, CPU, null, CancellationToken.None);

    private IReadOnlyList<CausalSweep.Row> Sweep(IReadOnlyList<SaeAtHook> hooks) =>
        CausalSweep.Run(_reader.Vision, _reader.Classifier, hooks, _pairs, _pairs, Options, CPU, _ => { }, CancellationToken.None);
}
