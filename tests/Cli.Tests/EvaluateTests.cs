using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Cli.Demo;
using ClipSae.Clip.Model;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Sources;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp;

namespace ClipSae.Cli.Tests;

/// <summary>
/// The verb as a user types it, on small sets of the demo's world with the demo's base and a copy of it with noise on its weights.
/// </summary>
public sealed class EvaluateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Models_are_scored_side_by_side_by_every_protocol_and_told_in_every_form()
    {
        await DrawAsync(40);
        WriteNoisy(_folder.File("noisy.safetensors"));
        string[] arguments =
        [
            "--model",
            $"base={DemoFiles.Model}",
            "--model",
            $"noisy={_folder.File("noisy.safetensors")}",
            "--model",
            $"again={DemoFiles.Model}",
            "--evaluation",
            $"clean={_folder.File("world/evaluation/clean")}",
            "--evaluation",
            $"attacked={_folder.File("world/evaluation/attacked")}",
            "--evaluation",
            $"retrieval={_folder.File("world/tuning/captions.json")}",
            "--probe",
            "--csv",
            _folder.File("csv"),
            "--report",
            _folder.File("new/page.html"),
        ];

        var json = (await EvaluateAsync(arguments)).Json;

        json["models"]!.AsArray().Select(model => model!["name"]!.GetValue<string>()).ShouldBe(["base", "noisy", "again"]);
        var again = json["models"]![2]!["sets"]!["clean"]!;
        again["againstBase"]!["mcNemar"]!["pValue"]!.GetValue<double>().ShouldBe(1);
        again["probe"]!["accuracy"]!["value"]!.GetValue<double>().ShouldBeGreaterThan(0.5);
        json["models"]![1]!["retrieval"]!["retrieval"]!["imageToText"]!["at5"].ShouldNotBeNull();

        // The tables agree with each other: figures are shares of the answers, written by another way.
        var answers = Table("answers.csv").ToLookup(row => (row["model"], row["set"]));
        foreach (var metric in Table("figures.csv").Where(row => row["figure"] == "accuracy"))
        {
            Number(metric["value"])
                .ShouldBe(answers[(metric["model"], metric["set"])].Average(row => row["right"] == "true" ? 1.0 : 0), 1e-9);
        }

        foreach (var score in Table("classes.csv"))
        {
            answers[(score["model"], score["set"])].Count(row => row["label"] == score["class"]).ShouldBe((int)Number(score["images"]));
        }

        Table("answers.csv")
            .Where(row => row["set"] == "attacked")
            .ShouldAllBe(row => row["word"] != row["label"] && row["margin"].Length > 0);
        var page = await File.ReadAllTextAsync(_folder.File("new/page.html"), TestContext.Current.CancellationToken);
        page.ShouldContain("id=\"models\"");
        page.ShouldContain("id=\"retrieval\"");
        page.ShouldContain("id=\"images\"");
        page.ShouldContain("swatch m2");
        page.ShouldNotContain("src=\"http");

        // Texts were embedded once for each model and prompt set; a second evaluation finds them and gives the same to the last digit.
        var keys = Directory.GetDirectories(_folder.File("data/stages")).Length;
        (await EvaluateAsync(arguments)).Json["models"]!.ToJsonString().ShouldBe(json["models"]!.ToJsonString());
        Directory.GetDirectories(_folder.File("data/stages")).Length.ShouldBe(keys);
    }

    [Fact]
    public async Task Attack_sets_by_file_name_class_folders_and_the_viewing_time_study_are_read()
    {
        await DrawAsync(20);
        var pictures = Annotations("attacked")
            .Select(item =>
                (
                    Path: item!["path"]!.GetValue<string>(),
                    Label: item["label"]!.GetValue<string>(),
                    Word: item["attributes"]!["word"]!.GetValue<string>()
                )
            )
            .ToArray();
        foreach (var (path, label, word) in pictures)
        {
            Copy(path, $"rta/label={label}_text={word}.png");
            Copy(path, $"folders/{label}/{Path.GetFileName(path)}");
            Copy(path, $"mvt/all/{Path.GetFileName(path)}");
        }

        var options =
            "\"["
            + string.Join(", ", pictures.Select(picture => picture.Label).Distinct().Append("plunger").Select(label => $"'{label}'"))
            + "]\"";
        await File.WriteAllLinesAsync(
            _folder.File("mvt/human_responses.csv"),
            [
                ",image,image_duration,label,response,response_time,worker_id,objectnet,response_options",
                .. pictures.SelectMany(
                    (picture, row) =>
                        new[] { 17, 150 }.Select(time =>
                            $"{row},{Path.GetFileName(picture.Path)},{time},{picture.Label},plunger,3.1,a,True,{options}"
                        )
                ),
            ],
            TestContext.Current.CancellationToken
        );

        var json = (
            await EvaluateAsync(
                "--model",
                DemoFiles.Model,
                "--evaluation",
                $"rta={_folder.File("rta")}",
                "--evaluation",
                $"folders={_folder.File("folders")}",
                "--evaluation",
                $"mvt={_folder.File("mvt/human_responses.csv")}",
                "--evaluation",
                $"attacked={_folder.File("world/evaluation/attacked")}"
            )
        ).Json;

        var sets = json["sets"]!.AsArray().ToDictionary(set => set!["name"]!.GetValue<string>(), set => set!);
        var scores = json["models"]![0]!["sets"]!;
        sets["rta"]["protocol"]!.GetValue<string>().ShouldBe("attacked");
        sets["folders"]["protocol"]!.GetValue<string>().ShouldBe("clean");
        sets["mvt"]["images"]!.GetValue<int>().ShouldBe(20);
        sets["mvt"]["candidates"]!.AsArray().Count.ShouldBe(pictures.Select(picture => picture.Label).Distinct().Count() + 1);

        // The same pictures, so the same answers, whichever way they are described.
        foreach (var metric in new[] { "accuracy", "attackSuccess", "binaryAccuracy" })
        {
            scores["rta"]![metric]!["value"]!.GetValue<double>().ShouldBe(scores["attacked"]![metric]!["value"]!.GetValue<double>());
        }

        scores["folders"]!["binaryAccuracy"].ShouldBeNull();
    }

    [Fact]
    public async Task Folders_named_by_WordNet_ids_are_scored_by_the_names_that_are_given_and_refused_without()
    {
        await DrawAsync(20);
        var pictures = Annotations("clean")
            .Select(item => (Path: item!["path"]!.GetValue<string>(), Label: item["label"]!.GetValue<string>()))
            .ToArray();
        string[] labels = [.. pictures.Select(picture => picture.Label).Distinct().Order(StringComparer.Ordinal)];
        foreach (var (path, label) in pictures)
        {
            var file = Path.Combine(_folder.File("world/evaluation/clean"), path);
            Directory.CreateDirectory(_folder.File($"names/{label}"));
            Directory.CreateDirectory(_folder.File($"ids/{Id(label)}"));
            File.Copy(file, _folder.File($"names/{label}/{Path.GetFileName(path)}"));
            File.Copy(file, _folder.File($"ids/{Id(label)}/{Path.GetFileName(path)}"));
        }

        string Id(string label) => FormattableString.Invariant($"n{2119789 + Array.IndexOf(labels, label):D8}");
        await File.WriteAllLinesAsync(
            _folder.File("map.txt"),
            labels.Select(label => $"{Id(label)}\t{label}"),
            TestContext.Current.CancellationToken
        );
        // OpenAI's list for ImageNet has two doubles; the same names in other classes would be one class.
        await File.WriteAllLinesAsync(_folder.File("list.txt"), labels, TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(_folder.File("doubles.txt"), [.. labels, labels[0]], TestContext.Current.CancellationToken);

        double Accuracy(JsonObject json) => json["models"]![0]!["sets"]!["x"]!["accuracy"]!["value"]!.GetValue<double>();
        async Task<JsonObject> Scored(string set, params string[] more) =>
            (await EvaluateAsync(["--model", DemoFiles.Model, "--evaluation", $"x={_folder.File(set)}", .. more])).Json;

        var named = Accuracy(await Scored("names"));
        named.ShouldBeGreaterThan(0.5);
        Accuracy(await Scored("ids", "--class-names", _folder.File("map.txt"))).ShouldBe(named);
        Accuracy(await Scored("ids", "--classes", _folder.File("list.txt"))).ShouldBe(named);
        Accuracy(await Scored("names", "--classes", _folder.File("doubles.txt"))).ShouldBe(named);
        var refused = await CommandRun.OfAsync(
            "evaluate",
            "--model",
            DemoFiles.Model,
            "--tokenizer",
            DemoFiles.Tokenizer,
            "--data",
            _folder.File("data"),
            "--evaluation",
            $"x={_folder.File("ids")}"
        );
        refused.Code.ShouldBe(1);
        refused.Error.ShouldContain("its labels are WordNet ids");
    }

    [Fact]
    public async Task What_cannot_be_scored_is_counted_and_named()
    {
        await DrawAsync(40);
        var items = Annotations("clean");
        items.Add(JsonNode.Parse("""{"path": "images/lost.png", "label": "cat"}"""));
        items.Add(JsonNode.Parse("""{"path": "images/00003.png", "label": "dog"}"""));
        items.Add(items[4]!.DeepClone());
        items[5]!["label"] = null;
        await File.WriteAllTextAsync(
            _folder.File("world/evaluation/clean/annotations.json"),
            items.ToJsonString(),
            TestContext.Current.CancellationToken
        );
        File.WriteAllBytes(
            _folder.File("world/evaluation/clean/images/00006.png"),
            File.ReadAllBytes(_folder.File("world/evaluation/clean/images/00006.png"))[..200]
        );
        var classes = items
            .Select(item => item?["label"]?.GetValue<string>())
            .OfType<string>()
            .Distinct()
            .Where(label => label != items[7]!["label"]!.GetValue<string>() && label != "dog");
        await File.WriteAllLinesAsync(_folder.File("classes.txt"), classes, TestContext.Current.CancellationToken);
        string[] arguments =
        [
            "--model",
            DemoFiles.Model,
            "--evaluation",
            $"clean={_folder.File("world/evaluation/clean")}",
            "--classes",
            _folder.File("classes.txt"),
        ];

        var set = (await EvaluateAsync([.. arguments, "--set", "evaluation.maxProblemShare=0.5"])).Json["sets"]![0]!;

        var problems = set["problems"]!.AsArray().Select(problem => $"{problem!["id"]}: {problem["reason"]}").ToArray();
        problems.ShouldContain("images/lost.png: missing-file: no such file");
        problems.ShouldContain(problem => problem.Contains("duplicate"));
        problems.ShouldContain(problem => problem.Contains("is \"dog\" here"));
        problems.ShouldContain("images/00005.png: no-caption: no label");
        problems.ShouldContain(problem => problem.StartsWith("images/00006.png: unreadable", StringComparison.Ordinal));
        problems.ShouldContain($"images/00007.png: label '{items[7]!["label"]}' is not among the classes");
        (set["images"]!.GetValue<int>() + problems.Length).ShouldBe(set["total"]!.GetValue<int>());

        var refused = await CommandRun.OfAsync([
            "evaluate",
            .. arguments,
            "--tokenizer",
            DemoFiles.Tokenizer,
            "--data",
            _folder.File("data"),
            "--set",
            "evaluation.maxProblemShare=0.01",
        ]);
        refused.Code.ShouldBe(1);
        refused.Error.Split('\n').Count(line => line.StartsWith("clipsae: ", StringComparison.Ordinal)).ShouldBe(1, refused.Error);
        refused.Error.ShouldContain("cannot be used");
    }

    [Fact]
    public async Task Images_that_a_runs_model_was_trained_on_give_no_test_result()
    {
        await DrawAsync(20);
        Directory.CreateDirectory(_folder.File("data/runs/mine"));
        File.Copy(DemoFiles.Model, _folder.File("data/runs/mine/tuned.safetensors"));
        await using (var runtime = EmbeddedRuntime.Create(new ClipSaeOptions { DataFolder = _folder.File("data") }, _ => { }))
        {
            var imported = await DatasetImporter.ImportAsync(
                _folder.File("world/evaluation/attacked"),
                new ImportOptions(),
                runtime.Artifacts,
                NullLogger.Instance,
                null,
                _folder.Path,
                null,
                TestContext.Current.CancellationToken
            );
            var inputs = imported.Shards.Select((shard, place) => ($"dataset:shards/{place:D5}", shard)).ToDictionary();
            await runtime.Events.TryAppendAsync(
                "mine",
                0,
                [new RunStarted("mine", new RunPlan([]), new RunSpec(inputs, [])) { At = DateTimeOffset.UnixEpoch }],
                TestContext.Current.CancellationToken
            );
        }

        foreach (var (verb, chooses) in new[] { ("evaluate", false), ("wise-ft", true) })
        {
            var set = _folder.File("world/evaluation/attacked");
            string[] arguments = chooses
                ? [DemoFiles.Model, "mine", _folder.File("out"), "--validation", $"attacked={set}"]
                : ["--model", "mine", "--evaluation", $"attacked={set}"];
            var run = await CommandRun.OfAsync([
                verb,
                .. arguments,
                "--tokenizer",
                DemoFiles.Tokenizer,
                "--data",
                _folder.File("data"),
                "--threads",
                "1",
            ]);

            run.Code.ShouldBe(2, run.Error);
            run.Error.ShouldContain(
                $"{(chooses ? "--validation" : "--evaluation")} attacked: "
                    + "20 of its 20 pictures are byte for byte pictures of the data set of run mine too"
            );
        }

        (await EvaluateAsync("--model", "mine", "--evaluation", $"clean={_folder.File("world/evaluation/clean")}")).Error.ShouldContain(
            "mine: training images read"
        );
    }

    [Theory]
    [InlineData(2, "two are named model", "--model", "{base}", "--model", "{base}", "--evaluation", "clean={clean}")]
    [InlineData(2, "there is nothing at /nowhere", "--model", "{base}", "--evaluation", "clean=/nowhere")]
    [InlineData(2, "expected NAME=FOLDER", "--model", "{base}", "--evaluation", "{clean}")]
    [InlineData(2, "evaluation.promptTemplates", "--model", "{base}", "--evaluation", "clean={clean}", "--prompt-templates", "{list}")]
    [InlineData(
        2,
        "evaluation.probe.trainShare",
        "--model",
        "{base}",
        "--evaluation",
        "clean={clean}",
        "--set",
        "evaluation.probe.trainShare=2"
    )]
    [InlineData(2, "there is no file /nowhere", "--model", "{base}", "--evaluation", "clean={clean}", "--classes", "/nowhere")]
    [InlineData(2, "is a folder; name a file", "--model", "{base}", "--evaluation", "clean={clean}", "--report", "{clean}")]
    [InlineData(1, "it needs label too", "--model", "{base}", "--evaluation", "mvt={mvt}")]
    [InlineData(1, "is not among the classes", "--model", "{base}", "--evaluation", "clean={clean}", "--classes", "{list}")]
    public async Task Wrong_use_is_one_line_that_says_what_to_mend(int code, string expected, params string[] arguments)
    {
        await DrawAsync(4);
        await File.WriteAllTextAsync(_folder.File("list.txt"), "whale\nsubmarine\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            _folder.File("human_responses.csv"),
            "image,response\na.png,cat\n",
            TestContext.Current.CancellationToken
        );
        string Filled(string argument) =>
            argument
                .Replace("{base}", DemoFiles.Model, StringComparison.Ordinal)
                .Replace("{clean}", _folder.File("world/evaluation/clean"), StringComparison.Ordinal)
                .Replace("{list}", _folder.File("list.txt"), StringComparison.Ordinal)
                .Replace("{mvt}", _folder.File("human_responses.csv"), StringComparison.Ordinal);

        var run = await CommandRun.OfAsync([
            "evaluate",
            .. arguments.Select(Filled),
            "--tokenizer",
            DemoFiles.Tokenizer,
            "--data",
            _folder.File("data"),
        ]);

        run.Code.ShouldBe(code, run.Error);
        run.Error.Split('\n').Count(line => line.StartsWith("clipsae: ", StringComparison.Ordinal)).ShouldBe(1, run.Error);
        run.Error.ShouldContain(expected);
    }

    public void Dispose() => _folder.Dispose();

    private async Task DrawAsync(int images) =>
        (
            await CommandRun.OfAsync(
                "make-dataset",
                _folder.File("world"),
                "--train",
                "0",
                "--tuning",
                "40",
                "--evaluation",
                images.ToString(CultureInfo.InvariantCulture)
            )
        ).Code.ShouldBe(0);

    private async Task<CommandRun> EvaluateAsync(params string[] arguments)
    {
        var run = await CommandRun.OfAsync([
            "evaluate",
            .. arguments,
            "--tokenizer",
            DemoFiles.Tokenizer,
            "--data",
            _folder.File("data"),
            "--threads",
            "1",
            "--json",
        ]);
        run.Code.ShouldBe(0, run.Error);
        return run;
    }

    private JsonArray Annotations(string set) =>
        JsonNode.Parse(File.ReadAllText(_folder.File($"world/evaluation/{set}/annotations.json")))!.AsArray();

    private void Copy(string picture, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(target))!);
        File.Copy(_folder.File($"world/evaluation/attacked/{picture}"), _folder.File(target), overwrite: true);
    }

    // No field of these tables holds a comma.
    private Dictionary<string, string>[] Table(string name)
    {
        var lines = File.ReadAllLines(_folder.File($"csv/{name}"));
        var columns = lines[0].Split(',');
        return [.. lines.Skip(1).Select(line => columns.Zip(line.Split(',')).ToDictionary(pair => pair.First, pair => pair.Second))];
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static void WriteNoisy(string path)
    {
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        using var model = ClipModel.Load(DemoFiles.Model);
        torch.manual_seed(1);
        var weights = model.StateDict().ToDictionary();
        weights["visual.proj"] =
            weights["visual.proj"] + torch.randn_like(weights["visual.proj"]).mul_(weights["visual.proj"].std().detach());
        SafetensorsWriter.Write(path, weights);
    }
}
