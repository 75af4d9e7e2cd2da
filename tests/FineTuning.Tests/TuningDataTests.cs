using ClipSae.Datasets;
using ClipSae.FineTuning.Settings;
using ClipSae.Imaging.Decoding;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class TuningDataTests : IDisposable
{
    private static readonly FineTuningOptions Options = new() { CleanBatch = 8, ValidationShare = 0.25 };
    private readonly TuningSetup _setup = new();

    public void Dispose() => _setup.Dispose();

    [Fact]
    public void Validation_images_are_never_trained_on()
    {
        using var data = _setup.Data(Options);

        Pictures(data.Clean.Pixels).Intersect(Pictures(data.CleanValidation.Pixels)).ShouldBeEmpty();
        Pictures(data.Attacks.Pixels).Intersect(Pictures(data.AttackValidation.Pixels)).ShouldBeEmpty();
        // A quarter of 40 without print, and of 24 printed on.
        (data.CleanValidation.Labels.Count, data.AttackValidation.Labels.Count).ShouldBe((10, 6));
    }

    [Fact]
    public void Reading_is_validated_on_the_print_of_held_out_attacks()
    {
        using var data = _setup.Data(Options);

        data.ReadingValidation!.Labels.Count.ShouldBe(6);
        data.ReadingValidation.Labels.ShouldBeSubsetOf(TuningSetup.Classes);
        // The word, not the object.
        data.ReadingValidation.Labels.Zip(data.AttackValidation.Labels).ShouldAllBe(pair => pair.First != pair.Second);
        data.ReadingValidation.Candidates.ShouldBe(data.AttackValidation.Candidates);
        Pictures(data.ReadingValidation.Pixels).ShouldNotBe(Pictures(data.AttackValidation.Pixels));
    }

    [Fact]
    public void Families_that_are_held_out_judge_in_the_place_of_attacks_and_their_pictures_are_trained_on_in_no_form()
    {
        using var data = _setup.Data(Options, families: true);
        using var without = _setup.Data(Options);
        var printed = TuningSetup.Families().Select(entry => entry.Item).ToArray();

        data.AttackValidation.Labels.ShouldBe(printed.Take(12).Select(item => item.Label)); // outline and small, six of each
        data.Attacks.Count.ShouldBe(TuningSetup.AttackImages + TuningSetup.NaturalImages); // none is held back to validate
        Pictures(data.Clean.Pixels).Intersect(Pictures(data.CleanValidation.Pixels)).ShouldBeEmpty();
        data.CleanValidation.Labels.Count.ShouldBe(without.CleanValidation.Labels.Count);
        data.ReadingValidation!.Labels.Count.ShouldBe(12);
        data.Families.HeldOut.ShouldBe(["outline", "small"]);
        using var pool = _setup.Data(Options with { AttackPool = 4 }, families: true);
        pool.AttackValidation.Labels.Count.ShouldBe(4);
        pool.Families.Judging(4)
            .Select(place => printed[place].Attributes!["family"]!.GetValue<string>())
            .ShouldBe(["outline", "outline", "small", "small"]);
    }

    [Fact]
    public void Controls_are_the_twins_of_the_attacks_trained_on()
    {
        using var data = _setup.Data(Options);
        using var all = _setup.Data(Options with { ValidationShare = 0.01, ValidationImages = 1 });
        var twins = Pictures(all.Attacks.Pixels).Zip(Pictures(all.Controls)).ToDictionary(p => p.First, p => p.Second);

        data.Controls.shape.ShouldBe(data.Attacks.Pixels.shape);
        Pictures(data.Attacks.Pixels)
            .Zip(Pictures(data.Controls))
            .Where(pair => twins.TryGetValue(pair.First, out var twin) && twin != pair.Second)
            .ShouldBeEmpty();
    }

    [Fact]
    public void Validation_judges_plain_pictures_among_classes_and_attacks_among_words_too()
    {
        using var data = _setup.Data(Options);
        var printed = TuningSetup
            .Clean(0, TuningSetup.CleanImages)
            .Where(entry => entry.Item.Attributes is not null)
            .Select(entry => Picture(entry.Image))
            .ToArray();

        printed.Length.ShouldBe(8);
        Pictures(data.CleanValidation.Pixels).Intersect(printed).ShouldBeEmpty();
        data.CleanValidation.Candidates.ShouldBe(TuningSetup.Classes);
        data.AttackValidation.Candidates.ShouldBe(TuningSetup.Classes);
    }

    [Fact]
    public void A_picture_takes_the_captions_that_curation_gives_it_and_is_left_out_where_none_remain()
    {
        using var all = _setup.Data(Options);
        using var data = _setup.Data(
            Options,
            captions: new Dictionary<string, IReadOnlyList<string>> { ["images/0.png"] = [], ["images/6.png"] = ["a word on something"] }
        );
        var (left, changed) = (Picture(TuningSetup.Clean(0, 1).Single().Image), Picture(TuningSetup.Clean(6, 1).Single().Image));

        Pictures(all.Clean.Pixels).ShouldContain(left);
        Pictures(data.Clean.Pixels).ShouldNotContain(left);
        data.Clean.Captions[Pictures(data.Clean.Pixels).ToList().IndexOf(changed)].ShouldBe(["a word on something"]);
    }

    [Fact]
    public void Which_images_validate_depends_on_neither_arm_nor_seed()
    {
        using var first = _setup.Data(Options);
        using var second = _setup.Data(Options with { Arm = "amplify", Seed = 9 });

        Pictures(second.CleanValidation.Pixels).ShouldBe(Pictures(first.CleanValidation.Pixels));
        Pictures(second.AttackValidation.Pixels).ShouldBe(Pictures(first.AttackValidation.Pixels));
    }

    [Fact]
    public void A_pool_has_the_controls_of_its_attacks_and_no_more_attacks_to_validate_on()
    {
        using var all = _setup.Data(Options);
        using var pool = _setup.Data(Options with { AttackPool = 5 });
        var twins = Pictures(all.Attacks.Pixels).Zip(Pictures(all.Controls)).ToDictionary(pair => pair.First, pair => pair.Second);

        pool.Attacks.Count.ShouldBe(5);
        Pictures(pool.Controls).ShouldBe(Pictures(pool.Attacks.Pixels).Select(attack => twins[attack]));
        pool.AttackValidation.Labels.Count.ShouldBe(5);
        Pictures(pool.AttackValidation.Pixels).ShouldBeSubsetOf(Pictures(all.AttackValidation.Pixels));
        Pictures(pool.CleanValidation.Pixels).ShouldBe(Pictures(all.CleanValidation.Pixels));
    }

    [Fact]
    public void Pictures_that_show_a_held_out_word_are_left_out()
    {
        using var data = _setup.Data(Options, heldOutWords: ["cat"]);
        var shown = TuningSetup
            .Clean(0, TuningSetup.CleanImages)
            .Where(entry => entry.Item.Attributes?["word"]?.GetValue<string>() == "cat")
            .Select(entry => Picture(entry.Image))
            .ToArray();

        shown.Length.ShouldBe(8);
        Pictures(data.Clean.Pixels).Concat(Pictures(data.CleanValidation.Pixels)).Intersect(shown).ShouldBeEmpty();
        (data.Clean.Count + data.CleanValidation.Labels.Count).ShouldBe(40);
        // The class itself stays: a picture of it without print is no word.
        data.Clean.Captions.ShouldContain(captions => captions[0] == "a photo of a cat");
    }

    [Fact]
    public void Pictures_that_show_a_held_out_face_are_left_out()
    {
        using var data = _setup.Data(Options, heldOutFonts: ["Display"]);
        var shown = TuningSetup
            .Clean(0, TuningSetup.CleanImages)
            .Where(entry => PrintedText.On(entry.Item)?.Font == "Display")
            .Select(entry => Picture(entry.Image))
            .ToArray();

        shown.Length.ShouldBe(4);
        Pictures(data.Clean.Pixels).Concat(Pictures(data.CleanValidation.Pixels)).Intersect(shown).ShouldBeEmpty();
        // The pictures below attacks that validate take no part either: three at most, for six attacks.
        (data.Clean.Count + data.CleanValidation.Labels.Count).ShouldBeInRange(
            TuningSetup.CleanImages - 4 - 3,
            TuningSetup.CleanImages - 4
        );
    }

    [Fact]
    public void Too_few_images_are_told_with_their_numbers() =>
        Should
            .Throw<UserErrorException>(() => _setup.Data(Options with { CleanBatch = 37 }))
            .Message.ShouldBe(
                "fine-tuning: 36 clean and 20 attack images are left for training; at least 37 and 1 are needed: "
                    + "add images or lower tuning.cleanBatch"
            );

    [Fact]
    public void A_picture_that_is_cut_behind_its_header_is_left_out_as_if_it_were_not_there()
    {
        using var all = _setup.Data(Options);
        var (item, image) = TuningSetup
            .Clean(0, TuningSetup.CleanImages)
            .First(entry => Pictures(all.Clean.Pixels).Contains(Picture(entry.Image)));

        using var data = _setup.Data(Options, damaged: item.Id);

        Pictures(data.Clean.Pixels).ShouldNotContain(Picture(image));
        data.Clean.Count.ShouldBe(data.Clean.Captions.Count);
        (data.Clean.Count + data.CleanValidation.Labels.Count).ShouldBeGreaterThanOrEqualTo(
            all.Clean.Count + all.CleanValidation.Labels.Count - 4
        );
    }

    [Fact]
    public void Captions_that_name_a_class_validate_as_labels_do()
    {
        using var labelled = _setup.Data(Options);
        using var captioned = _setup.Data(Options, change: item => item with { Label = null, Captions = [$"{item.Captions[0]}, asleep"] });

        captioned.CleanValidation.Labels.ShouldBe(labelled.CleanValidation.Labels);
        Pictures(captioned.CleanValidation.Pixels).ShouldBe(Pictures(labelled.CleanValidation.Pixels));
    }

    [Fact]
    public void Without_a_picture_to_validate_on_nothing_is_trained() =>
        Should
            .Throw<UserErrorException>(() => _setup.Data(Options, change: item => item with { Label = null, Captions = ["a photo"] }))
            .Message.ShouldBe(
                "fine-tuning: 0 clean images that show a class and no print and 6 attacks can validate; "
                    + "at least 1 and 1 are needed: label images, or name in curation.classes what their captions do"
            );

    private static string[] Pictures(Tensor pixels) =>
        [.. Enumerable.Range(0, (int)pixels.shape[0]).Select(i => Convert.ToHexString(pixels[i].contiguous().bytes))];

    private static string Picture(byte[] png)
    {
        using var scope = NewDisposeScope();
        return Pictures(
            Clip.Preprocessing.PixelLoader.Stack(
                [ImageDecoder.Decode(png)],
                Clip.Preprocessing.ImagePreparation.OpenAi(TuningSetup.Resolution)
            )
        )[0];
    }
}
