using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Decoding;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Curation;
using ClipSae.TestKit.Pipelines;

namespace ClipSae.AttackCuration.Tests;

public sealed class AttackCurationStageTests : IDisposable
{
    private readonly CurationSetup _setup = new();

    public void Dispose() => _setup.Dispose();

    [Fact]
    public async Task Outputs_are_the_findings_and_the_attack_set_in_every_form()
    {
        var result = await RunAsync(await _setup.InputsAsync());

        result
            .Outputs.Keys.Order(StringComparer.Ordinal)
            .ShouldBe(["attack-folder", "attacks", "contact-sheet", "controls", "families", "manifest", "salient"]);
        var (attacks, controls) = (await _setup.ItemsAsync(result.Outputs["attacks"]), await _setup.ItemsAsync(result.Outputs["controls"]));
        attacks.Count.ShouldBe(Metrics(result).Attacks + Metrics(result).Natural);
        attacks.Count(a => Kind(a.Item) == "attack").ShouldBeGreaterThan(0);
        controls.Select(c => c.Item.Id).ShouldBe(attacks.Select(a => a.Item.Id));
        attacks.Zip(controls).ShouldAllBe(pair => Kind(pair.First.Item) == "natural" == pair.First.Image.SequenceEqual(pair.Second.Image));
    }

    [Fact]
    public async Task Same_input_gives_the_same_digests()
    {
        var inputs = await _setup.InputsAsync();
        var (first, second) = (await RunAsync(inputs), await RunAsync(inputs));
        var parameters = CurationSetup.Parameters;
        parameters["seed"] = 6;
        var other = await RunAsync(inputs, parameters);

        second.Outputs.ShouldBe(first.Outputs);
        second.Metrics.ToJsonString().ShouldBe(first.Metrics.ToJsonString());
        other.Outputs["attacks"].ShouldNotBe(first.Outputs["attacks"]);
    }

    [Fact]
    public async Task Held_out_words_and_fonts_are_nowhere_in_the_attack_set()
    {
        var result = await RunAsync(await _setup.InputsAsync());
        var manifest = await _setup.LinesAsync(result.Outputs["manifest"]);
        using var fonts = FontCatalogue.Load();

        manifest.Select(line => line["word"]?.GetValue<string>()).ShouldNotContain("car");
        var placements = manifest
            .Where(IsAttack)
            .SelectMany(line => line["placements"]!.AsArray())
            .Select(p => WordPlacement.Parse(p!))
            .ToArray();
        placements.ShouldNotBeEmpty();
        placements.Select(p => p.Word).ShouldNotContain("car");
        placements.Select(p => p.Font).Intersect(fonts.HeldOut.Select(face => face.Name)).ShouldBeEmpty();
        // Pictures that show the word are no sources either, natural ones included.
        var shown = CurationSetup.Pictures().Where(p => p.Item.Attributes?["word"]?.GetValue<string>() == "car").Select(p => p.Item.Id);
        manifest.Select(line => line["source"]!.GetValue<string>()).Intersect(shown).ShouldBeEmpty();
        (await SalientAsync(result)).HeldOutWords.ShouldBe(["car"]);
        (await SalientAsync(result)).HeldOutFonts.ShouldBe(fonts.HeldOut.Select(face => face.Name));
    }

    [Fact]
    public async Task Attacks_name_the_salient_neurons_that_the_word_drives()
    {
        var result = await RunAsync(await _setup.InputsAsync());
        var salient = (await SalientAsync(result)).Neurons.Select(n => (n.Layer, n.Neuron)).ToArray();
        var named = (await _setup.LinesAsync(result.Outputs["manifest"]))
            .Where(IsAttack)
            .Select(line => line["neurons"]!.AsArray().Select(n => (n!["layer"]!.GetValue<int>(), n["neuron"]!.GetValue<int>())).ToArray())
            .ToArray();

        named.ShouldAllBe(neurons => neurons.Length <= 3 && neurons.Distinct().Count() == neurons.Length);
        named.SelectMany(neurons => neurons).ShouldNotBeEmpty();
        named.SelectMany(neurons => neurons).Except(salient).ShouldBeEmpty();
        // Not the same three for every picture: they follow from what each word drives.
        named.Select(neurons => string.Join(' ', neurons)).Distinct().Count().ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task Attacks_fool_the_model_and_the_manifest_tells_how_to_draw_them_again()
    {
        var result = await RunAsync(await _setup.InputsAsync());
        var manifest = await _setup.LinesAsync(result.Outputs["manifest"]);
        var attacks = (await _setup.ItemsAsync(result.Outputs["attacks"])).ToDictionary(a => a.Item.Id);
        var sources = CurationSetup.Pictures().ToDictionary(p => p.Item.Id);
        using var fonts = FontCatalogue.Load();
        var painter = new WordPainter(fonts);

        manifest.Length.ShouldBe(attacks.Count);
        foreach (var line in manifest.Where(IsAttack))
        {
            line["margin"]!.GetValue<double>().ShouldBeGreaterThan(0);
            var (attack, source) = (attacks[line["image"]!.GetValue<string>()], sources[line["source"]!.GetValue<string>()]);
            attack.Item.Label.ShouldBe(source.Item.Label);
            attack.Item.Captions.ShouldBe(source.Item.Captions);
            line["word"]!.GetValue<string>().ShouldNotBe(source.Item.Label);
            var placements = line["placements"]!.AsArray().Select(p => WordPlacement.Parse(p!)).ToArray();
            line["boxes"]!.AsArray().Count.ShouldBe(placements.Length);
            painter.Paint(ImageDecoder.Decode(source.Image), placements).Rgb.ShouldBe(ImageDecoder.Decode(attack.Image).Rgb);
        }
    }

    [Fact]
    public async Task The_attack_folder_has_upstreams_layout()
    {
        var result = await RunAsync(await _setup.InputsAsync());
        var entries = await _setup.EntriesAsync(result.Outputs["attack-folder"]);
        var attacks = await _setup.ItemsAsync(result.Outputs["attacks"]);

        entries
            .Select(e => e.Name)
            .ShouldBe([.. attacks.SelectMany(a => new[] { a.Item.Id, Path.ChangeExtension(a.Item.Id, ".txt") }), "manifest.jsonl"]);
        entries[^1].Content.ShouldBe(await _setup.BytesAsync(result.Outputs["manifest"]));
        for (var i = 0; i < attacks.Count; i++)
        {
            entries[2 * i].Content.ShouldBe(attacks[i].Image);
            Encoding.UTF8.GetString(entries[(2 * i) + 1].Content).Split('\n')[0].ShouldBe($"a photo of a {attacks[i].Item.Label}");
        }
    }

    [Fact]
    public async Task The_contact_sheet_is_a_PNG_of_all_attacks()
    {
        var result = await RunAsync(await _setup.InputsAsync());
        var sheet = await _setup.BytesAsync(result.Outputs["contact-sheet"]);
        var count = (await _setup.LinesAsync(result.Outputs["manifest"])).Length;
        var (columns, rows) = (Math.Min(10, count), (count + 9) / 10);

        sheet[..8].ShouldBe([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        var image = ImageDecoder.Decode(sheet);
        // Cells of 96 pixels with a line of 15 below, 8 apart.
        (image.Width, image.Height).ShouldBe(((columns * 104) + 8, (rows * 119) + 8));
    }

    [Fact]
    public async Task Findings_name_the_place_its_features_their_random_twins_and_the_neurons()
    {
        var result = await RunAsync(await _setup.InputsAsync());
        var salient = await SalientAsync(result);
        var features = salient.Features.Select(f => f.Feature).ToArray();

        salient.Layers.Single(layer => layer.Chosen).Hook.ShouldBe(salient.Hook);
        features.ShouldNotBeEmpty();
        salient.RandomFeatures.Count.ShouldBe(5);
        salient.RandomFeatures.ShouldAllBe(draw => draw.Count == features.Length && !draw.Any(f => features.Contains(f)));
        salient.Neurons.GroupBy(n => n.Layer).ShouldAllBe(layer => layer.Count() <= 6);
        salient.Neurons.ShouldAllBe(n => n.Score >= 0);
        salient.NeuronAblation.Random.Count.ShouldBe(2);
        salient.Classes.ShouldBe(["car", "cat", "dog", "tree"]);
    }

    [Theory]
    [InlineData("report")]
    [InlineData("drop")]
    [InlineData("dropRandom")]
    [InlineData("hide")]
    [InlineData("hideRandom")]
    public async Task Captions_that_repeat_print_are_listed_and_what_is_dropped_is_printed_on_no_more(string action)
    {
        var inputs = await _setup.InputsAsync();
        var parameters = CurationSetup.Parameters;
        parameters["captionHygiene"] = action;
        // The model is random; with this seed its answers happen to distinguish wrong words from own names.
        parameters["seed"] = 6;
        var result = await RunAsync(inputs, parameters);
        var hygiene = (await SalientAsync(result)).CaptionHygiene.ShouldNotBeNull();
        var (found, changed) = (hygiene.Found, hygiene.Captions.Keys.ToArray());

        found.ShouldNotBeEmpty();
        changed.Length.ShouldBe(action == "report" ? 0 : found.Count);
        if (action is "drop" or "hide")
        {
            changed.ShouldBe(found.Select(finding => finding.Id), ignoreOrder: true);
        }

        var hidden = hygiene.Hidden ?? new Dictionary<string, IReadOnlyList<int>>();
        (hidden.Count > 0).ShouldBe(action.StartsWith("hide", StringComparison.Ordinal));
        hidden.Keys.Intersect(changed).ShouldBeEmpty();
        hidden.Values.ShouldAllBe(patches => patches.Distinct().Count() == patches.Count && patches.All(patch => patch >= 0));
        (await _setup.LinesAsync(result.Outputs["manifest"]))
            .Select(line => line["source"]!.GetValue<string>())
            .Intersect([.. changed, .. hidden.Keys])
            .ShouldBeEmpty();
        Metrics(result).Captions.ShouldNotBeNull().Found.ShouldBe(found.Count);
        (await SalientAsync(await RunAsync(inputs))).CaptionHygiene.ShouldBeNull();
    }

    [Fact]
    public async Task Families_that_are_held_out_are_in_no_attack_and_are_printed_on_pictures_that_no_attack_has()
    {
        var parameters = CurationSetup.Parameters;
        parameters["families"] = new JsonArray("plate", "outline", "large", "capitals", "curved");
        parameters["searchWords"] = 4;
        var inputs = await _setup.InputsAsync();
        var result = await RunAsync(inputs, parameters);
        var families = Metrics(result).RedTeam.ShouldNotBeNull().Families;
        string[] Named(bool heldOut) => [.. families.Where(f => f.HeldOut == heldOut).Select(f => f.Family)];
        var attacks = (await _setup.ItemsAsync(result.Outputs["attacks"]))
            .Where(a => Kind(a.Item) == "attack")
            .Select(a => a.Item.Attributes!)
            .ToArray();
        var apart = (await _setup.ItemsAsync(result.Outputs["families"])).Select(a => a.Item).ToArray();

        var (heldOut, trained) = (Named(heldOut: true), Named(heldOut: false));
        families.Select(f => f.Family).ShouldBe(["plate", "outline", "large", "capitals", "curved"], ignoreOrder: true);
        heldOut.Length.ShouldBe(1);
        attacks.ShouldNotBeEmpty();
        attacks.Select(a => a["family"]!.GetValue<string>()).Distinct().ShouldBeSubsetOf(trained);
        families.Sum(f => f.Attacks).ShouldBe(attacks.Length);
        apart
            .Select(item => item.Attributes!["family"]!.GetValue<string>())
            .Distinct()
            .ShouldBe(families.Select(f => f.Family), ignoreOrder: true);
        apart.ShouldAllBe(item =>
            item.Attributes!["heldOut"]!.GetValue<bool>() == heldOut.Contains(item.Attributes!["family"]!.GetValue<string>())
        );
        apart
            .Select(item => item.Attributes!["source"]!.GetValue<string>())
            .Intersect(attacks.Select(a => a["source"]!.GetValue<string>()))
            .ShouldBeEmpty();
        apart.ShouldAllBe(item =>
            item.Label != item.Attributes!["word"]!.GetValue<string>() && item.Attributes!["word"]!.GetValue<string>() != "car"
        );
        parameters["batchSize"] = 5;
        (await RunAsync(inputs, parameters)).Outputs["families"].ShouldBe(result.Outputs["families"]);
    }

    [Fact]
    public async Task Where_too_few_words_fool_the_model_the_run_ends_and_says_what_to_do()
    {
        var parameters = CurationSetup.Parameters;
        parameters["minFooled"] = 0.99;

        var message = await ShouldFailAsync(await _setup.InputsAsync(), parameters);

        message.ShouldStartWith("attack-curation: ");
        message.ShouldContain("printed words fool this model");
        message.ShouldEndWith("--set curation.minFooled=0");
        message.ShouldNotContain('\n');
    }

    [Fact]
    public async Task Autoencoders_of_negative_explained_variance_take_no_part_and_end_the_run_where_no_other_is_there()
    {
        var inputs = await _setup.InputsAsync();
        async Task ExplainsAsync(string name, double share) =>
            inputs[$"sae-statistics/{name}"] = await _setup.Store.PutBytesAsync(
                ResultFormats.Statistics.Write(
                    new SaeStatistics(
                        name,
                        new AutoencoderMetrics(1 - share, share, 0.9, 4, 0, 0, 30, "topk", 64, 4, 30, 270, 1000),
                        [],
                        []
                    )
                ),
                "statistics",
                ResultFormats.Statistics.MediaType
            );
        await ExplainsAsync("mlp@0", -0.2);
        await ExplainsAsync("residual@1", 0.4);

        Metrics(await RunAsync(inputs)).Sae.ShouldBe("residual@1");
        await ExplainsAsync("residual@1", -2.5);
        (await ShouldFailAsync(inputs, CurationSetup.Parameters)).ShouldEndWith("--set curation.minExplained=-1");
    }

    [Fact]
    public async Task Pictures_that_cannot_be_read_are_left_out_and_named()
    {
        var inputs = await _setup.InputsAsync();
        inputs["shards/00002"] = await _setup.PutShardAsync([
            (new DatasetItem("images/broken.png", ["a photo of a cat"], "cat"), [1, 2, 3]),
        ]);
        var result = await RunAsync(inputs);

        Metrics(result).Unreadable.ShouldHaveSingleItem().ShouldStartWith("images/broken.png: ");
    }

    [Fact]
    public async Task Labels_outside_of_the_classes_given_are_passed_over()
    {
        var parameters = CurationSetup.Parameters;
        parameters["classes"] = new JsonArray("cat", "dog");
        var result = await RunAsync(await _setup.InputsAsync(), parameters);

        (await _setup.LinesAsync(result.Outputs["manifest"]))
            .Where(IsAttack)
            .Select(line => line["object"]!.GetValue<string>())
            .Distinct()
            .ShouldBeSubsetOf(["cat", "dog"]);
    }

    [Fact]
    public async Task Without_labels_classes_are_found_in_the_captions()
    {
        var inputs = await _setup.InputsAsync();
        inputs.Remove("shards/00001");
        inputs["shards/00000"] = await _setup.PutShardAsync(CurationSetup.Pictures(labels: false));
        var parameters = CurationSetup.Parameters;
        parameters["classes"] = new JsonArray("cat", "dog", "tree", "car");

        (await RunAsync(inputs, parameters))
            .Outputs["attacks"]
            .ShouldBe((await RunAsync(await WholeAsync(), parameters)).Outputs["attacks"]);

        async Task<Dictionary<string, ArtifactRef>> WholeAsync()
        {
            var labelled = await _setup.InputsAsync();
            labelled.Remove("shards/00001");
            labelled["shards/00000"] = await _setup.PutShardAsync(CurationSetup.Pictures());
            return labelled;
        }
    }

    [Theory]
    [InlineData(false, 4, "attack-curation: the data set shows 0 classes; attacks need at least two.")]
    [InlineData(true, 1, "attack-curation: the data set shows 1 class; attacks need at least two.")]
    public async Task Too_few_classes_are_a_clear_error(bool labels, int classes, string message)
    {
        var inputs = await _setup.InputsAsync();
        inputs.Remove("shards/00001");
        inputs["shards/00000"] = await _setup.PutShardAsync(CurationSetup.Pictures(labels: labels, classes: classes));

        (await ShouldFailAsync(inputs)).ShouldStartWith(message);
    }

    [Fact]
    public async Task Too_few_pictures_are_a_clear_error()
    {
        var inputs = await _setup.InputsAsync();
        inputs.Remove("shards/00001");
        inputs["shards/00000"] = await _setup.PutShardAsync(CurationSetup.Pictures(9));

        // Of nine pictures two carry print.
        (await ShouldFailAsync(inputs)).ShouldBe("attack-curation: only 7 usable labelled images without print; at least 8 are needed");
    }

    [Fact]
    public async Task A_folder_without_fonts_is_a_clear_error()
    {
        var parameters = CurationSetup.Parameters;
        parameters["fontFolder"] = "/none/such";

        (await ShouldFailAsync(await _setup.InputsAsync(), parameters)).ShouldStartWith("The fonts folder /none/such does not exist.");
    }

    [Fact]
    public async Task Fonts_are_part_of_the_key_and_others_than_a_run_names_are_refused()
    {
        using var fonts = FontCatalogue.Load();
        FontsOf(new JsonObject { ["families"] = new JsonArray() }).ShouldBe(fonts.Digest);
        FontsOf([]).ShouldBe(fonts.WholeDigest);
        _setup.Stage.Normalize([])["fonts"].ShouldBeNull(); // normalizing reads no files
        var parameters = CurationSetup.Parameters;
        parameters["fonts"] = new string('0', 64);
        FontsOf(parameters).ShouldBe(new string('0', 64));

        (await ShouldFailAsync(await _setup.InputsAsync(), parameters)).ShouldStartWith(
            "curation.fonts: the run asks for the fonts 000000000000…, this machine has "
        );
    }

    private string? FontsOf(JsonObject parameters) =>
        StageKeyParts
            .Of(_setup.Stage, _setup.Stage.Normalize(parameters), new Dictionary<string, ArtifactRef>())
            .Parameters["fonts"]
            ?.GetValue<string>();

    [Fact]
    public async Task Words_that_are_all_held_out_are_a_clear_error()
    {
        var parameters = CurationSetup.Parameters;
        parameters["words"] = new JsonArray("taxi", "car");

        (await ShouldFailAsync(await _setup.InputsAsync(), parameters)).ShouldStartWith(
            "curation.words: at least two words are needed that are not held out"
        );
    }

    [Fact]
    public async Task Without_an_autoencoder_or_with_one_of_another_place_there_is_a_clear_error()
    {
        var inputs = await _setup.InputsAsync();
        var neurons = inputs["sae/mlp@0"];
        inputs.Remove("sae/mlp@0");
        inputs["sae/residual@1"] = neurons;
        (await ShouldFailAsync(inputs)).ShouldStartWith("attack-curation: the SAE of residual@1 takes 256 values where this model has 64");
        inputs.Remove("sae/residual@1");
        (await ShouldFailAsync(inputs)).ShouldStartWith("attack-curation: no SAE among the inputs");
        inputs["sae/text.mlp@0"] = neurons;
        (await ShouldFailAsync(inputs)).ShouldStartWith("attack-curation: no SAE among the inputs reads pictures");
        inputs["sae/mlp@7"] = neurons;
        (await ShouldFailAsync(inputs)).ShouldStartWith("hook point 'mlp@7': the model's vision tower has layers 0 to 1");
    }

    [Theory]
    [InlineData("{\"pairs\":7}", "curation.pairs")]
    [InlineData("{\"salientShares\":[]}", "curation.salientShares")]
    [InlineData("{\"randomDraws\":0}", "curation.randomDraws")]
    [InlineData("{\"style\":{\"minSize\":0.5,\"maxSize\":0.4}}", "curation.style")]
    [InlineData("{\"style\":{\"maxCount\":0}}", "curation.style.maxCount")]
    [InlineData("{\"style\":{\"places\":0}}", "curation.style.places")]
    [InlineData("{\"style\":{\"leftEdge\":true}}", "style")]
    [InlineData("{\"style\":{\"minCount\":4}}", "curation.style.maxCount")]
    [InlineData("{\"style\":{\"contrast\":0}}", "curation.style.contrast")]
    [InlineData("{\"families\":[\"neon\"]}", "'neon' is not a family of print")]
    [InlineData("{\"families\":[\"plate\",\"plate\"]}", "curation.families")]
    [InlineData("{\"minFooled\":1}", "curation.minFooled")]
    [InlineData("{\"searchWords\":0}", "curation.searchWords")]
    public void Impossible_parameters_are_named(string parameters, string key)
    {
        var message = Should.Throw<UserErrorException>(() => _setup.Stage.Normalize(JsonNode.Parse(parameters)!.AsObject())).Message;
        message.ShouldContain(key);
        message.ShouldNotContain('\n');
    }

    [Fact]
    public async Task Cancelled_it_stops_within_a_step()
    {
        var inputs = await _setup.InputsAsync();

        await CancelAtFirstReport.ShouldStopAsync(cancelling =>
            _setup.Stage.RunAsync(_setup.Context(inputs, progress: cancelling), cancelling.Token)
        );
    }

    private static CurationMetrics Metrics(StageResult result) => ResultFormats.CurationMetrics.Read(result.Metrics, "figures");

    private Task<SalientFindings> SalientAsync(StageResult result) =>
        ResultFormats.Salient.ReadAsync(result.Outputs["salient"], _setup.Store.FetchAsync, CancellationToken.None);

    private static bool IsAttack(JsonObject line) => line["kind"]!.GetValue<string>() == "attack";

    private static string Kind(DatasetItem item) => item.Attributes!["kind"]!.GetValue<string>();

    private Task<StageResult> RunAsync(Dictionary<string, ArtifactRef> inputs, JsonObject? parameters = null) =>
        _setup.Stage.RunAsync(_setup.Context(inputs, parameters), CancellationToken.None);

    private async Task<string> ShouldFailAsync(Dictionary<string, ArtifactRef> inputs, JsonObject? parameters = null)
    {
        var message = (await Should.ThrowAsync<UserErrorException>(() => RunAsync(inputs, parameters))).Message;
        message.ShouldNotContain('\n');
        return message;
    }
}
