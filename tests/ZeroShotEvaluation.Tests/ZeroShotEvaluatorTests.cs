using System.Text.Json.Nodes;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Results.Evaluation;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Settings;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class ZeroShotEvaluatorTests : IDisposable
{
    private static readonly string[] Names = ["cat", "dog", "tree"];
    private readonly TemporaryFolder _folder = new();

    // The reference is the plain formula, image by image: normalised embeddings, cosine, softmax of exp(logit_scale) · cosine.
    [Fact]
    public void Probabilities_are_those_of_the_plain_formula()
    {
        string[] templates = ["a photo of a {}", "the {}"];
        using var evaluation = Evaluate(new EvaluationOptions { PromptTemplates = templates, BatchSize = 4 }, Clean(), Attacked());

        using var scope = torch.NewDisposeScope();
        using var inference = torch.inference_mode();
        using var model = ClipModel.Load(_folder.File("base"));
        var table = evaluation.Probabilities.Single(probabilities => probabilities is { Set: "attacked", Model: "base" });
        table.Candidates.ShouldBe(["cat", "dog", "tree", "taxi"]);
        var values = table.Compute();
        var texts = torch.cat([
            .. table.Candidates.Select(name =>
                Unit(
                    templates
                        .Select(template => Unit(model.EncodeText(Tokens(template.Replace("{}", name, StringComparison.Ordinal)))))
                        .Aggregate((a, b) => a + b)
                )
            ),
        ]);
        for (var image = 0; image < table.Ids.Count; image++)
        {
            var rgb = ImageDecoder.Decode(Shards.Noise(100 + image));
            var pixels = new float[3 * SmallClip.Resolution * SmallClip.Resolution];
            Preprocessor.Preprocess(DecodedImage.Of(rgb), ImagePreparation.OpenAi(SmallClip.Resolution), pixels);
            var features = Unit(model.EncodeImage(torch.tensor(pixels, [1, 3, SmallClip.Resolution, SmallClip.Resolution])));
            var expected = (features.matmul(texts.t()) * model.LogitScale.exp()).softmax(-1)[0];
            (values[image] - expected).abs().max().item<float>().ShouldBeLessThan(2e-5f);
        }

        torch.Tensor Tokens(string text) =>
            torch.tensor(SmallClip.Tokenizer.Encode(text, model.Architecture.ContextLength, out _)).unsqueeze(0);
        static torch.Tensor Unit(torch.Tensor rows) => rows / rows.norm(1, keepdim: true);
    }

    [Fact]
    public void Figures_are_the_counts_of_the_probabilities()
    {
        using var evaluation = Evaluate(new EvaluationOptions(), Clean(), Attacked());

        var table = evaluation.Probabilities.Single(probabilities => probabilities is { Set: "attacked", Model: "base" });
        var scores = evaluation.Results.Models[0].Sets["attacked"];
        using var values = table.Compute();
        var rows = values.data<float>().ToArray().Chunk(table.Candidates.Count).ToArray();
        var (right, word) = (Enumerable.Range(0, rows.Length).Select(i => i % 3).ToArray(), table.Candidates.ToList().IndexOf("taxi"));
        scores.Accuracy.Value.ShouldBe(
            rows.Zip(right).Count(entry => entry.First.Max() == entry.First[entry.Second]) / (double)rows.Length,
            1e-9
        );
        scores.AttackSuccess!.Value.ShouldBe(rows.Count(row => row.Max() == row[word]) / (double)rows.Length, 1e-9);
        scores.BinaryAccuracy!.Value.ShouldBe(
            rows.Zip(right).Count(entry => entry.First[entry.Second] > entry.First[word]) / (double)rows.Length,
            1e-9
        );
        scores.PerClass.Select(score => (score.Class, score.Images)).ShouldBe([("cat", 4), ("dog", 4), ("tree", 4)]);
    }

    [Fact]
    public void The_batch_size_changes_no_figure()
    {
        using var plain = Evaluate(new EvaluationOptions(), Clean(), Attacked());
        using var batched = Evaluate(new EvaluationOptions { BatchSize = 5 }, Clean(), Attacked());

        batched
            .Results.Models.Select(model => model.Sets["attacked"].Accuracy)
            .ShouldBe(plain.Results.Models.Select(model => model.Sets["attacked"].Accuracy));
        Enumerable
            .SequenceEqual(batched.Examples.Select(example => example.Id), plain.Examples.Select(example => example.Id))
            .ShouldBeTrue();
    }

    [Fact]
    public void The_tuned_model_is_the_one_with_the_highest_validation_score_whatever_these_sets_say()
    {
        var models = new[]
        {
            new ModelUnderTest("base", SmallClip.Write(_folder.File("base"), 1)),
            new ModelUnderTest("amplify.s0", SmallClip.Write(_folder.File("a"), 2), "amplify", 0, 0.4),
            new ModelUnderTest("penalise.s0", SmallClip.Write(_folder.File("p"), 3), "penalise", 0, 0.6),
            new ModelUnderTest("penalise.s1", SmallClip.Write(_folder.File("q"), 4), "penalise", 1, 0.5),
        };

        using var evaluation = Evaluate(new EvaluationOptions(), models, Clean());

        evaluation.Results.Tuned.ShouldBe("penalise.s0");
        var arm = evaluation.Results.Arms.Single(scores => scores.Name == "penalise");
        arm.Seeds.ShouldBe([0, 1]);
        arm.Sets["clean"]
            .Accuracy.Value.ShouldBe(
                evaluation.Results.Models.Where(model => model.Arm == "penalise").Average(model => model.Sets["clean"].Accuracy.Value),
                1e-9
            );
    }

    [Fact]
    public void A_random_control_is_never_the_tuned_model()
    {
        ModelUnderTest[] models =
        [
            new("base", ""),
            new("penalise.s0", "", "penalise", 0, 0.5),
            new("penalise-random.s0", "", "penalise-random", 0, 0.9),
        ];

        ZeroShotEvaluator.ChooseTuned(models)!.Name.ShouldBe("penalise.s0");
        ZeroShotEvaluator.ChooseTuned([models[0], models[2]]).ShouldBeNull();
    }

    [Theory]
    [InlineData(0.3, 0.2, "penalise.s0")]
    [InlineData(0.3, 0.6, "penalise.s1")]
    [InlineData(0.5, 0.7, null)]
    public void The_base_is_a_candidate_too(double baseOfFirst, double baseOfSecond, string? chosen)
    {
        ModelUnderTest[] models =
        [
            new("base", ""),
            new("penalise.s0", "", "penalise", 0, 0.5 - (chosen == "penalise.s1" ? 0.4 : 0), BaseValidation: baseOfFirst),
            new("penalise.s1", "", "penalise", 1, 0.7 - (chosen == "penalise.s0" ? 0.3 : 0), BaseValidation: baseOfSecond),
        ];

        ZeroShotEvaluator.ChooseTuned(models)?.Name.ShouldBe(chosen);
        (ZeroShotEvaluator.ChooseTuned(models) is null).ShouldBe(chosen is null);
    }

    [Fact]
    public void An_arm_is_compared_with_its_random_control_seed_by_seed()
    {
        string[] names =
        [
            "amplify.s0",
            "amplify-random.s0",
            "penalise.s0",
            "penalise.s1",
            "penalise.s2",
            "penalise-random.s1",
            "penalise-random.s0",
        ];
        ModelUnderTest[] models =
        [
            new("base", SmallClip.Write(_folder.File("base"), 1)),
            .. names.Select(
                (name, i) => new ModelUnderTest(name, SmallClip.Write(_folder.File(name), 2 + i), name.Split('.')[0], name[^1] - '0')
            ),
        ];

        using var evaluation = Evaluate(new EvaluationOptions(), models, Attacked());

        double Accuracy(string name) => evaluation.Results.Models.Single(model => model.Name == name).Sets["attacked"].Accuracy.Value;
        ArmContrast? Contrast(string arm) => evaluation.Results.Arms.Single(scores => scores.Name == arm).Sets["attacked"].AgainstControl;
        double[] differences =
        [
            Accuracy("penalise.s0") - Accuracy("penalise-random.s0"),
            Accuracy("penalise.s1") - Accuracy("penalise-random.s1"),
        ];
        var (mean, half) = (differences.Average(), 12.706 * Math.Abs(differences[0] - differences[1]) / 2);

        // Seed 2 has no control. Two differences: their standard deviation is |d0 − d1| / √2, t(1) = 12.706.
        var penalise = Contrast("penalise").ShouldNotBeNull();
        penalise.Seeds.ShouldBe(2);
        penalise.Accuracy.Value.ShouldBe(mean, 1e-6);
        (penalise.Accuracy.High - penalise.Accuracy.Low).ShouldBe(2 * half, 1e-6);
        penalise.AttackSuccess.ShouldNotBeNull();
        penalise.McNemar.ShouldBeNull();

        // One seed: over the same images.
        var amplify = Contrast("amplify").ShouldNotBeNull();
        (amplify.Seeds, amplify.Accuracy).ShouldBe((1, evaluation.Results.Models[1].Sets["attacked"].AgainstControl!.Accuracy));
        var discordant = amplify.McNemar.ShouldNotBeNull();
        ((discordant.TunedOnly - discordant.BaseOnly) / 12.0).ShouldBe(Accuracy("amplify.s0") - Accuracy("amplify-random.s0"), 1e-6);
        amplify.Accuracy.Value.ShouldBe(Accuracy("amplify.s0") - Accuracy("amplify-random.s0"), 1e-6);

        Contrast("amplify-random").ShouldBeNull();
        evaluation.Results.Models[0].Sets["attacked"].AgainstControl.ShouldBeNull();
    }

    [Fact]
    public void Images_that_cannot_be_scored_are_counted_and_named()
    {
        var items = Enumerable
            .Range(0, 30)
            .Select(i => ($"{i}.png", (string?)Names[i % 3], (string?)null, Shards.Noise(i)))
            .Append(("torn.png", "cat", null, Shards.Noise(1)[..60]))
            .Append(("nameless.png", null, null, Shards.Noise(1)))
            .Append(("stranger.png", "whale", null, Shards.Noise(1)));
        var set = new EvaluationSet("clean", [Shards.Write(_folder.File("odd"), items)]);

        using var evaluation = Evaluate(new EvaluationOptions { Classes = Names }, set);

        var summary = evaluation.Results.Sets.Single();
        (summary.Images, summary.Total).ShouldBe((30, 33));
        summary.Problems.Select(problem => problem.Id).ShouldBe(["torn.png", "nameless.png", "stranger.png"]);
        summary.Problems[2].Reason.ShouldContain("whale");
        summary.Problems[0].Reason.ShouldStartWith("unreadable");
        Should
            .Throw<UserErrorException>(() => Evaluate(new EvaluationOptions { Classes = Names, MaxProblemShare = 0.05 }, set))
            .Message.ShouldContain("maxProblemShare");
    }

    [Fact]
    public void What_is_printed_on_a_set_is_told_so_that_it_can_be_compared_with_what_was_trained_on()
    {
        DatasetItem Item(int i, string word, string? font) =>
            new($"{i}.png", ["a photo"], Names[i % 3], new JsonObject { ["word"] = word, ["font"] = font });
        var path = _folder.File("faces");
        DatasetShard.Write(
            path,
            [
                (Item(0, "taxi", "Serif"), Shards.Noise(1)),
                (Item(1, "bus", null), Shards.Noise(2)),
                (Item(2, "taxi", "Mono"), Shards.Noise(3)),
            ]
        );

        using var evaluation = Evaluate(
            new EvaluationOptions(),
            Clean(),
            new EvaluationSet("attacked", [path]),
            new EvaluationSet("words", [path])
        );

        evaluation
            .Results.Sets.Select(set => (set.Name, Words: string.Join(' ', set.Words), Fonts: string.Join(' ', set.Fonts)))
            .ShouldBe(
                [
                    ("clean", "", ""),
                    ("attacked", "bus taxi", "Mono Serif"),
                    ("words", string.Join(' ', Names.Order(StringComparer.Ordinal)), "Mono Serif"),
                ],
                ignoreOrder: true
            );
    }

    [Fact]
    public void A_set_of_one_class_is_refused()
    {
        var set = new EvaluationSet(
            "clean",
            [
                Shards.Write(
                    _folder.File("one"),
                    Enumerable.Range(0, 3).Select(i => ($"{i}.png", (string?)"cat", (string?)null, Shards.Noise(i)))
                ),
            ]
        );

        Should.Throw<UserErrorException>(() => Evaluate(new EvaluationOptions(), set)).Message.ShouldContain("one class only ('cat')");
    }

    [Fact]
    public void An_empty_set_is_refused_by_name() =>
        Should
            .Throw<UserErrorException>(() =>
                Evaluate(new EvaluationOptions(), new EvaluationSet("clean", [Shards.Write(_folder.File("none"))]))
            )
            .Message.ShouldContain("clean is empty");

    [Fact]
    public void A_model_whose_weights_are_no_numbers_gets_no_score()
    {
        using (var scope = torch.NewDisposeScope())
        using (var model = ClipModel.Load(SmallClip.Write(_folder.File("sound"), 1)))
        {
            var weights = model.StateDict().ToDictionary();
            weights["visual.proj"] = torch.full_like(weights["visual.proj"], float.NaN);
            SafetensorsWriter.Write(_folder.File("broken"), weights);
        }

        Should
            .Throw<UserErrorException>(() =>
                Evaluate(new EvaluationOptions(), [new ModelUnderTest("base", _folder.File("broken"))], Clean())
            )
            .Message.ShouldContain("2048 values that are NaN or infinite");
    }

    [Fact]
    public void A_prompt_that_the_context_would_cut_is_refused() =>
        Should
            .Throw<UserErrorException>(() =>
                Evaluate(
                    new EvaluationOptions { PromptTemplates = ["a photo of a photo of a photo of a photo of a photo of a {}"] },
                    Clean()
                )
            )
            .Message.ShouldContain("16 tokens");

    [Fact]
    public void Words_alone_are_read_against_objects_and_words()
    {
        var words = new EvaluationSet(
            "words",
            [
                Shards.Write(
                    _folder.File("w"),
                    Enumerable.Range(0, 8).Select(i => ($"{i}.png", (string?)(i % 2 == 0 ? "taxi" : "cat"), (string?)null, Shards.Noise(i)))
                ),
            ]
        );

        using var evaluation = Evaluate(new EvaluationOptions(), Clean(), words);

        var summary = evaluation.Results.Sets.Single(set => set.Name == "words");
        summary.Candidates.ShouldBe(["cat", "dog", "tree", "taxi"]);
        evaluation.Results.Models[0].Sets["words"].AttackSuccess.ShouldBeNull();
    }

    [Fact]
    public void Sets_of_one_world_share_their_classes_and_others_have_their_own()
    {
        EvaluationSet Set(string name, string[] labels) =>
            new(
                name,
                [
                    Shards.Write(
                        _folder.File(name),
                        labels.Select((label, i) => ($"{i}.png", (string?)label, (string?)null, Shards.Noise(i)))
                    ),
                ]
            );

        using var evaluation = Evaluate(
            new EvaluationOptions(),
            Set("clean", ["cat", "dog"]),
            Set("clean-more", ["dog", "tree"]),
            Set("imagenet", ["whale", "car", "cat"])
        );

        var sets = evaluation.Results.Sets.ToDictionary(set => set.Name);
        sets["clean"].Candidates.ShouldBe(["cat", "dog", "tree"]);
        sets["clean-more"].Candidates.ShouldBe(["cat", "dog", "tree"]);
        sets["imagenet"].Candidates.ShouldBe(["car", "cat", "whale"]);
    }

    [Fact]
    public void A_set_keeps_the_classes_that_it_prescribes()
    {
        string[] choices = ["cat", "dog", "tree", "plunger"];
        var set = new EvaluationSet(
            "mvt",
            [
                Shards.WriteWithChoices(
                    _folder.File("mvt"),
                    choices,
                    Enumerable.Range(0, 6).Select(i => ($"{i}.png", (string?)Names[i % 3], (string?)null, Shards.Noise(i)))
                ),
            ]
        );

        using var evaluation = Evaluate(new EvaluationOptions(), Clean(), set);

        evaluation.Results.Sets.Single(summary => summary.Name == "mvt").Candidates.ShouldBe(choices);
        evaluation.Results.Sets.Single(summary => summary.Name == "clean").Candidates.ShouldBe(Names);
    }

    // What an image generator is given of the tuned text tower, against the base's, over prompts for one.
    [Fact]
    public void States_of_the_text_tower_are_compared_with_the_bases()
    {
        var tuned = SmallClip.Write(_folder.File("tuned"), 1);
        using (var model = ClipModel.Load(tuned))
        using (torch.no_grad())
        {
            var projection = model.get_parameter("text_projection")!;
            projection.copy_(projection.Times(2));
            model.Save(tuned);
        }

        using var evaluation = Evaluate(
            new EvaluationOptions(),
            [
                new ModelUnderTest("base", SmallClip.Write(_folder.File("base"), 1)),
                new ModelUnderTest("none.s0", SmallClip.Write(_folder.File("frozen"), 1), "none", 0, 0.5),
                new ModelUnderTest("none.s1", tuned, "none", 1, 0.5),
                new ModelUnderTest("none.s2", SmallClip.Write(_folder.File("other"), 2), "none", 2, 0.5),
            ],
            Clean()
        );

        evaluation.Results.Models[0].TextStates.ShouldBeNull();
        var (frozen, scaled, other) = (
            evaluation.Results.Models[1].TextStates!,
            evaluation.Results.Models[2].TextStates!,
            evaluation.Results.Models[3].TextStates!
        );
        frozen
            .Select(state => (state.State, state.Tokens))
            .ShouldBe([
                ("penultimate", "start of text"),
                ("penultimate", "prompt"),
                ("penultimate", "end and padding"),
                ("last", "start of text"),
                ("last", "prompt"),
                ("last", "end and padding"),
                ("pooled", "whole text"),
            ]);
        frozen.Where(state => state.State == "last").Sum(state => state.Count).ShouldBe(24 * 16); // prompts × context
        frozen.ShouldAllBe(state => state.MinCosine > 1 - 1e-9 && Math.Abs(state.MeanNormRatio - 1) < 1e-9);
        // The projection is behind all other states, and a factor turns nothing.
        scaled.Take(6).ShouldBe(frozen.Take(6));
        scaled[6].MeanNormRatio.ShouldBe(2, 1e-5);
        scaled[6].MinCosine.ShouldBe(1, 1e-6);
        other.ShouldAllBe(state => state.MeanCosine < 0.9);
    }

    // Retrieval, probe and calibration end to end; the models are random, so only what must hold for any model is asked.
    [Fact]
    public void Every_protocol_gives_its_figures_for_every_model()
    {
        var captioned = new EvaluationSet(
            "retrieval",
            [
                Shards.Write(
                    _folder.File("r"),
                    Enumerable.Range(0, 12).Select(i => ($"{i}.png", (string?)null, (string?)null, Shards.Noise(i)))
                ),
            ]
        );
        using var evaluation = Evaluate(new EvaluationOptions { Probe = new ProbeOptions() }, Clean(), Attacked(), captioned);

        foreach (var model in evaluation.Results.Models)
        {
            model.Sets.Keys.ShouldBe(["clean", "attacked"]);
            foreach (var scores in model.Sets.Values)
            {
                scores.ModalityGap.Value.ShouldBeInRange(0.0, 2.0);
                scores.Calibration.LogLoss.Value.ShouldBeGreaterThan(0);
                scores.Calibration.ExpectedError.Value.ShouldBeInRange(0.0, 1.0);
                (scores.Probe!.Train, scores.Probe.Test).ShouldBe((6, 6));
                scores.MeanPerClass.Value.ShouldBe(scores.PerClass.Average(score => score.Accuracy.Value), 1e-12);
            }

            var retrieval = model.Retrieval["retrieval"];
            retrieval.ImageToText.At10.Value.ShouldBeGreaterThanOrEqualTo(retrieval.ImageToText.At1.Value);
        }

        evaluation.Results.Models[1].Retrieval["retrieval"].McNemar.ShouldNotBeNull();
        evaluation.Results.Sets.Single(set => set.Name == "retrieval").Captions.ShouldBe(12);
        evaluation.Answers().Count().ShouldBe(2 * 24);
    }

    // 1 MiB holds 341 images of 32 × 32 pixels: the rest of 400 is read back from the scratch file.
    [Fact]
    public void A_set_that_memory_does_not_hold_gives_the_same()
    {
        var set = new EvaluationSet(
            "clean",
            [
                Shards.Write(
                    _folder.File("many"),
                    Enumerable.Range(0, 400).Select(i => ($"{i:D3}.png", (string?)Names[i % 3], (string?)null, Shards.Noise(i)))
                ),
            ]
        );
        using var plain = Evaluate(new EvaluationOptions(), set);
        using var tight = Evaluate(new EvaluationOptions { PixelMemory = 1 }, set);

        System
            .Text.Json.JsonSerializer.Serialize(tight.Results.Models)
            .ShouldBe(System.Text.Json.JsonSerializer.Serialize(plain.Results.Models));
        tight
            .Examples.Select(example => Convert.ToBase64String(example.Image))
            .ShouldBe(plain.Examples.Select(example => Convert.ToBase64String(example.Image)));
    }

    [Fact]
    public void With_one_model_no_pixels_are_kept_and_nothing_is_shown()
    {
        using var evaluation = Evaluate(
            new EvaluationOptions(),
            [new ModelUnderTest("base", SmallClip.Write(_folder.File("base"), 1))],
            Clean()
        );

        evaluation.Examples.ShouldBeEmpty();
        evaluation.Results.Models.Single().Sets["clean"].AgainstBase.ShouldBeNull();
    }

    public void Dispose() => _folder.Dispose();

    private EvaluationSet Clean() =>
        new(
            "clean",
            [
                Shards.Write(
                    _folder.File("clean"),
                    Enumerable.Range(0, 12).Select(i => ($"{i}.png", (string?)Names[i % 3], (string?)null, Shards.Noise(i)))
                ),
            ]
        );

    private EvaluationSet Attacked() =>
        new(
            "attacked",
            [
                Shards.Write(
                    _folder.File("attacked"),
                    Enumerable.Range(0, 12).Select(i => ($"{i}.png", (string?)Names[i % 3], (string?)"taxi", Shards.Noise(100 + i)))
                ),
            ]
        );

    private Evaluation Evaluate(EvaluationOptions options, params EvaluationSet[] sets)
    {
        var models = new[]
        {
            new ModelUnderTest("base", SmallClip.Write(_folder.File("base"), 1)),
            new ModelUnderTest("none.s0", SmallClip.Write(_folder.File("tuned"), 2), "none", 0, 0.5),
        };
        return Evaluate(options, models, sets);
    }

    private Evaluation Evaluate(EvaluationOptions options, ModelUnderTest[] models, params EvaluationSet[] sets) =>
        new ZeroShotEvaluator(options, SmallClip.Tokenizer).EvaluateAsync(models, sets, _folder.Path).GetAwaiter().GetResult();
}
