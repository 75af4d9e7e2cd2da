using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Demo;
using ClipSae.Cli.Running;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.TestKit.Files;

namespace ClipSae.Cli.Tests;

public class WrongUseTests
{
    [Theory]
    [InlineData("unknown verb 'demoo': did you mean demo? See 'clipsae --help'", "demoo")]
    [InlineData("unknown option --dataste for 'run': did you mean --dataset", "run", "--dataste", "x")]
    [InlineData("unknown option --jsom: did you mean --json? See 'clipsae --help'", "--jsom")]
    [InlineData("'doctor' takes no argument 'extra'; see 'clipsae doctor --help'", "doctor", "extra")]
    [InlineData(
        "option --context cannot take 'many': expected a whole number; see 'clipsae tokenize --help'",
        "tokenize",
        "a",
        "--context",
        "many"
    )]
    [InlineData("say what to do, for example 'clipsae demo'; see 'clipsae --help'")]
    [InlineData("<text> is missing; see 'clipsae tokenize --help'", "tokenize")]
    [InlineData("--tokenizer: there is no file /nowhere/bpe.txt", "tokenize", "a", "--tokenizer", "/nowhere/bpe.txt")]
    [InlineData("option --dataset is required; see 'clipsae run --help'", "run", "--model", "x")]
    [InlineData("option --dataset needs a value; see 'clipsae run --help'", "run", "--model", "x", "--dataset")]
    [InlineData(
        "option --dtype cannot take 'fp16': known are bfloat16, float16, float32; see 'clipsae convert --help'",
        "convert",
        "a",
        "b",
        "--to",
        "openai",
        "--dtype",
        "fp16"
    )]
    [InlineData("<out> is missing; see 'clipsae wise-ft --help'", "wise-ft", "a", "b")]
    [InlineData("--units 0: must be 1 or more", "runs", "--units", "0")]
    public async Task Wrong_use_is_one_line_and_exit_code_2(string expected, params string[] args)
    {
        var run = await CommandRun.OfAsync(args);

        run.Code.ShouldBe(2);
        run.Out.ShouldBeEmpty();
        run.Error.ShouldStartWith($"clipsae: {expected}");
        run.Error.TrimEnd('\n').ShouldNotContain("\n");
    }

    [Fact]
    public void An_option_of_one_value_that_is_given_twice_is_called_so_whichever_it_is()
    {
        var tree = CommandTree.Create();
        var problems =
            from verb in tree.Subcommands
            from option in verb.Options.Concat(GlobalOptions.All)
            where option.Arity.MaximumNumberOfValues == 1 && option.ValueType != typeof(bool)
            select (
                verb.Name,
                Option: option.Name,
                Problem: ParseProblems.Describe(tree.Parse([verb.Name, option.Name, "3", option.Name, "4"]))
            );

        problems
            .Where(given =>
                given.Problem != $"option {given.Option} is given twice ('3', '4'): give it once; see 'clipsae {given.Name} --help'"
            )
            .ShouldBeEmpty();
        problems.Count().ShouldBeGreaterThan(100);
    }

    [Theory]
    [InlineData("run", "--dataset", "{data}", "--model", "{model}", "--evaluation", "clean={data}")]
    [InlineData("sweep", "--dataset", "{data}", "--model", "{model}")]
    [InlineData("evaluate", "--model", "{model}", "--evaluation", "clean={data}")]
    [InlineData("attack-set", "{data}", "{out}")]
    [InlineData("pretrain", "--dataset", "{data}", "--out", "{out}")]
    [InlineData("repair", "--images", "{data}", "--model", "{model}", "--out", "{out}")]
    public async Task A_folder_without_pictures_and_one_of_one_class_are_wrong_use_of_any_verb(params string[] args)
    {
        using var folder = new TemporaryFolder();
        foreach (var pictures in (int[])[0, 12])
        {
            var data = Directory.CreateDirectory(folder.File($"photos{pictures}")).FullName;
            for (var i = 0; i < pictures; i++)
            {
                Directory.CreateDirectory(Path.Combine(data, "cat"));
                File.WriteAllBytes(
                    Path.Combine(data, "cat", $"{i}.png"),
                    PngEncoder.Encode(new RgbImage(64, 64, [.. Enumerable.Repeat((byte)(20 * i), 64 * 64 * 3)]))
                );
            }

            string Filled(string argument) =>
                argument
                    .Replace("{data}", data, StringComparison.Ordinal)
                    .Replace("{out}", folder.File("out"), StringComparison.Ordinal)
                    .Replace("{model}", DemoFiles.Model, StringComparison.Ordinal);
            var run = await CommandRun.OfAsync([.. args.Select(Filled), "--threads", "1", "--data", folder.File("data")]);

            run.Code.ShouldBe(2, run.Error);
            run.Error.Split('\n').Count(line => line.StartsWith("clipsae: ", StringComparison.Ordinal)).ShouldBe(1, run.Error);
        }
    }

    [Theory]
    [InlineData("demoo")]
    [InlineData("tokenize", "a", "--tokenizer", "/nowhere/bpe.txt")]
    public async Task With_json_an_error_is_one_object_on_standard_output(params string[] args)
    {
        var run = await CommandRun.OfAsync([.. args, "--json"]);

        run.Code.ShouldBe(2);
        run.Json["error"]!.GetValue<string>().ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("out", "interpolate", "{model}", "{model}", "{bad}")]
    [InlineData("out", "convert", "{model}", "{bad}", "--to", "openai")]
    [InlineData("out", "wise-ft", "{model}", "{model}", "{bad}", "--validation", "clean={folder}", "--tokenizer", "{vocabulary}")]
    [InlineData("out", "stretch", "{model}", "{bad}/long.safetensors")]
    [InlineData("folder", "make-dataset", "{bad}")]
    [InlineData("--out", "pretrain", "--dataset", "{folder}", "--out", "{bad}")]
    [InlineData("--out", "embed", "--text", "a", "--out", "{bad}/a.safetensors")]
    public async Task A_place_that_takes_no_file_is_named_before_any_work(string name, params string[] args)
    {
        using var folder = new TemporaryFolder();
        // A file where a folder is wanted, a folder that nothing can be put into, and one that cannot be made.
        File.WriteAllText(folder.File("file"), "");
        foreach (var bad in new[] { folder.File("file"), "/proc", "/proc/new" })
        {
            string Filled(string argument) =>
                argument
                    .Replace("{bad}", bad, StringComparison.Ordinal)
                    .Replace("{folder}", folder.Path, StringComparison.Ordinal)
                    .Replace("{model}", DemoFiles.Model, StringComparison.Ordinal)
                    .Replace("{vocabulary}", DemoFiles.Tokenizer, StringComparison.Ordinal);

            var run = await CommandRun.OfAsync([.. args.Select(Filled), "--data", folder.File("data")]);

            run.Code.ShouldBe(2, $"{bad}: {run.Error}");
            run.Error.ShouldStartWith($"clipsae: {name}: folder '{bad}' cannot be written");
        }
    }

    [Theory]
    [InlineData("tuning.arms: 'foo' is not an arm", "--arms", "foo")]
    [InlineData("extraction.toleratedFailures = 3", "--set", "extraction.toleratedFailures=3")]
    [InlineData("tuning.seeds = \"few\"", "--set", "tuning.seeds=few")]
    [InlineData("tuning.adapter: must be of a rank from 1 to 1024", "--set", "tuning.adapter.kind=lora", "--set", "tuning.adapter.rank=0")]
    [InlineData(
        "sae.k: must be at most the",
        "--preset",
        "demo",
        "--set",
        "sae.k=5000",
        "--set",
        "extraction.hookPoints=mlp@1",
        "--set",
        "sae.expansion=2"
    )]
    [InlineData("hook point 'mlp@9': the model's vision tower has layers", "--preset", "demo", "--set", "extraction.hookPoints=mlp@9")]
    [InlineData(
        "hook point 'text.mlp@9': the model's text tower has layers",
        "--preset",
        "demo",
        "--set",
        "extraction.hookPoints=mlp@0,text.mlp@9"
    )]
    [InlineData(
        "extraction.hookPoints: text.mlp@0 is in the text tower, but text-salient features are found in pictures",
        "--preset",
        "demo",
        "--set",
        "extraction.hookPoints=text.mlp@0"
    )]
    [InlineData(
        "conversion.formats: peft holds what an adapter changed, and this run trains none",
        "--preset",
        "demo",
        "--set",
        "conversion.formats=openai,peft"
    )]
    [InlineData("--max-problems 7: expected a share of the rows, 0 to 1", "--max-problems", "7")]
    [InlineData("--evaluation: two are named clean", "--evaluation", "clean={folder}", "--evaluation", "clean={folder}/..")]
    public async Task What_cannot_be_planned_is_wrong_use_before_anything_is_read(string expected, params string[] args)
    {
        // A folder without a picture: were it read first, it would be what is complained of.
        using var folder = new TemporaryFolder();
        var run = await CommandRun.OfAsync([
            "run",
            "--dataset",
            folder.Path,
            "--model",
            DemoFiles.Model,
            "--data",
            folder.File("data"),
            .. args.Select(argument => argument.Replace("{folder}", folder.Path, StringComparison.Ordinal)),
        ]);

        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain($"clipsae: {expected}");
    }

    [Theory]
    [InlineData("all 12 pictures have the same caption", false, "cat", "dog")]
    [InlineData("all 12 pictures are copies of one file", true, "cat", "dog")]
    [InlineData("the labels (n02119789, n02119790, …) are codes", false, "n02119789", "n02119790")]
    [InlineData("tuning.cleanBatch: a batch of", false, "cat", "dog", "captions differ")]
    public async Task A_data_set_that_teaches_nothing_is_refused_once_it_is_read(string expected, bool copies, params string[] classes)
    {
        using var folder = new TemporaryFolder();
        var rows = new JsonArray();
        for (var i = 0; i < 12; i++)
        {
            Directory.CreateDirectory(folder.File("photos"));
            var shade = (byte)(copies ? 9 : 9 * i);
            await File.WriteAllBytesAsync(
                folder.File($"photos/{i}.png"),
                PngEncoder.Encode(new RgbImage(8, 8, [.. Enumerable.Repeat(shade, 8 * 8 * 3)])),
                TestContext.Current.CancellationToken
            );
            rows.Add(
                new JsonObject
                {
                    ["path"] = $"{i}.png",
                    ["label"] = classes[i % 2],
                    ["caption"] = copies || classes.Length > 2 ? $"number {i}" : "a picture",
                }
            );
        }

        await File.WriteAllTextAsync(folder.File("photos/captions.json"), rows.ToJsonString(), TestContext.Current.CancellationToken);

        var run = await CommandRun.OfAsync(
            "run",
            "--dataset",
            folder.File("photos"),
            "--model",
            DemoFiles.Model,
            "--preset",
            "demo",
            "--data",
            folder.File("data")
        );

        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain(expected);
    }

    [Theory]
    [InlineData(
        "--evaluation clean: 3 of its 3 pictures are byte for byte pictures of --dataset too",
        12,
        "--set",
        "tuning.cleanBatch=2",
        "--set",
        "sae.epochs=1"
    )]
    [InlineData("--dataset: from 12 images no autoencoder is trained for more than 3 steps", 12, "--set", "tuning.cleanBatch=2")]
    [InlineData(
        "tuning.cleanBatch: a batch of 12 is larger than the data set, which has 12 usable images, 1 of them kept for validation",
        12,
        "--set",
        "tuning.cleanBatch=12",
        "--set",
        "sae.epochs=1"
    )]
    public async Task What_would_fail_hours_later_fails_at_import(string expected, int images, params string[] options)
    {
        using var folder = new TemporaryFolder();
        for (var i = 0; i < images; i++)
        {
            Directory.CreateDirectory(folder.File($"photos/{new[] { "cat", "dog" }[i % 2]}"));
            Directory.CreateDirectory(folder.File($"test/{new[] { "cat", "dog" }[i % 2]}"));
            byte[] picture = PngEncoder.Encode(new RgbImage(8, 8, [.. Enumerable.Repeat((byte)(9 * i), 8 * 8 * 3)]));
            await File.WriteAllBytesAsync(
                folder.File($"photos/{new[] { "cat", "dog" }[i % 2]}/{i}.png"),
                picture,
                TestContext.Current.CancellationToken
            );
            if (i < 3)
            {
                await File.WriteAllBytesAsync(
                    folder.File($"test/{new[] { "cat", "dog" }[i % 2]}/{i}.png"),
                    picture,
                    TestContext.Current.CancellationToken
                );
            }
        }

        var run = await CommandRun.OfAsync([
            "run",
            "--dataset",
            folder.File("photos"),
            "--model",
            DemoFiles.Model,
            "--tokenizer",
            DemoFiles.Tokenizer,
            "--preset",
            "demo",
            "--evaluation",
            $"clean={folder.File("test")}",
            "--data",
            folder.File("data"),
            .. options,
        ]);

        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain(expected);
    }

    [Theory]
    [InlineData("runs")]
    [InlineData("prune")]
    [InlineData("show", "latest")]
    [InlineData("demo")]
    public async Task A_data_folder_that_is_a_file_is_wrong_use(params string[] verb)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("file"), "", TestContext.Current.CancellationToken);

        foreach (var data in new[] { folder.File("file"), Path.Combine(folder.File("file"), "below") })
        {
            var run = await CommandRun.OfAsync([.. verb, "--data", data]);

            run.Code.ShouldBe(2);
            run.Error.ShouldBe($"clipsae: --data: {folder.File("file")} is a file; name a folder\n");
        }
    }

    [Fact]
    public async Task A_preset_is_chosen_by_the_models_size_and_said()
    {
        // The folder is empty, so that nothing but the choice happens.
        using var folder = new TemporaryFolder();
        var run = await CommandRun.OfAsync(
            "run",
            "--dataset",
            folder.Path,
            "--model",
            DemoFiles.Model,
            "--tokenizer",
            DemoFiles.Tokenizer,
            "--data",
            folder.File("data")
        );

        run.Error.ShouldContain("preset small, chosen for a vision tower of 4 blocks and width 128; --preset chooses another");
        Preset.For(ClipSae.Clip.Architecture.ClipArchitecture.VitL14).ShouldBe("vit-l-14");
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(12, 3)]
    public void A_chosen_preset_takes_no_layer_that_the_model_lacks(int layers, int expected)
    {
        var model = ClipSae.Clip.Architecture.ClipArchitecture.VitL14 with { VisionLayers = layers };
        Preset.WithinModel(Preset.Load("small"), model)["extraction"]!["hookPoints"]!.AsArray().Count.ShouldBe(expected);
    }

    [Fact]
    public async Task A_runs_name_stands_for_its_tuned_weights()
    {
        using var folder = new TemporaryFolder();
        string[] runs = ["20261123-120000-000000000001", "20261123-130000-000000000002", "20261123-140000-000000000003"];
        foreach (var run in runs)
        {
            Directory.CreateDirectory(folder.File($"runs/{run}"));
        }

        File.Copy(DemoFiles.Model, folder.File($"runs/{runs[1]}/tuned.safetensors"));
        File.Copy(DemoFiles.Tokenizer, folder.File($"runs/{runs[1]}/bpe.txt.gz"));
        Task<CommandRun> EmbedAsync(string model) =>
            CommandRun.OfAsync("embed", "--model", model, "--text", "a cat", "--data", folder.Path, "--json");

        foreach (var named in new[] { "latest", "130000", runs[1] })
        {
            (await EmbedAsync(named)).Json["model"]!.GetValue<string>().ShouldBe(folder.File($"runs/{runs[1]}/tuned.safetensors"));
        }

        (await EmbedAsync("140000")).Error.ShouldContain($"--model: run {runs[2]} has no tuned model");
        (await EmbedAsync("20261123")).Error.ShouldContain("is part of the names of 3 runs");
        (await EmbedAsync("nothing.pt")).Error.ShouldContain("--model: there is nothing at nothing.pt");
    }

    [Fact]
    public async Task A_name_that_nearly_says_its_protocol_is_told()
    {
        using var folder = new TemporaryFolder();
        var run = await CommandRun.OfAsync(
            "evaluate",
            "--model",
            DemoFiles.Model,
            "--data",
            folder.File("data"),
            "--evaluation",
            $"atacked={folder.Path}",
            "--evaluation",
            $"words-held={folder.Path}",
            "--evaluation",
            $"imagenet={folder.Path}"
        );

        run.Error.Split('\n')
            .Where(line => line.Contains("did you mean", StringComparison.Ordinal))
            .ShouldHaveSingleItem()
            .ShouldStartWith("--evaluation atacked: did you mean attacked?");
    }

    [Fact]
    public async Task A_file_of_prose_is_no_vocabulary()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("prose"), "hi", TestContext.Current.CancellationToken);

        var run = await CommandRun.OfAsync("tokenize", "a", "--tokenizer", folder.File("prose"));

        run.Code.ShouldBe(1);
        run.Error.ShouldContain($"{folder.File("prose")}: line 1 is not a header");
    }

    [Theory]
    [InlineData("/bin")]
    [InlineData("/nowhere")]
    public void A_path_that_is_no_file_is_refused_by_name(string path) =>
        Should.Throw<WrongUseException>(() => GivenPath.File("--model", path)).Message.ShouldContain(path);
}
