using System.Text.Json.Nodes;
using ClipSae.Cli.Demo;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Cli.Tests;

/// <summary>A sweep between the demo's base and a copy of it with noise on its weights, in Geometric Parametrization.</summary>
public sealed class WiseFtTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task A_sweep_scores_what_evaluate_scores_chooses_by_its_rule_and_exports_the_chosen_model()
    {
        await PrepareAsync();
        string[] sets =
        [
            "--validation",
            $"clean={_folder.File("val/evaluation/clean")}",
            "--validation",
            $"attacked={_folder.File("val/evaluation/attacked")}",
            "--evaluation",
            $"attacked={_folder.File("test/evaluation/attacked")}",
        ];

        var swept = (
            await RunAsync([
                "wise-ft",
                DemoFiles.Model,
                _folder.File("tuned.safetensors"),
                _folder.File("swept"),
                .. sets,
                "--alpha",
                "0.5",
                "0.25",
                "--clean-tolerance",
                "0.1",
                "--tokenizer",
                DemoFiles.Tokenizer,
                "--to",
                "openai",
                "text-encoder",
            ])
        ).Json;

        // Each figure is that of the model which interpolate writes, scored by evaluate.
        await RunAsync([
            "interpolate",
            DemoFiles.Model,
            _folder.File("tuned.safetensors"),
            _folder.File("between"),
            "--alpha",
            "0.25",
            "0.5",
        ]);
        string[] models =
        [
            DemoFiles.Model,
            _folder.File("between/alpha-0.25.safetensors"),
            _folder.File("between/alpha-0.5.safetensors"),
            _folder.File("tuned.safetensors"),
        ];
        var scored = (
            await RunAsync([
                "evaluate",
                .. models.SelectMany((model, place) => new[] { "--model", $"m{place}={model}" }),
                "--evaluation",
                $"clean={_folder.File("val/evaluation/clean")}",
                "--evaluation",
                $"attacked={_folder.File("val/evaluation/attacked")}",
                "--tokenizer",
                DemoFiles.Tokenizer,
            ])
        ).Json["models"]!.AsArray();
        var validation = swept["validation"]!.AsArray();
        validation.Select(point => Number(point, "alpha")).ShouldBe([0, 0.25, 0.5, 1]);
        foreach (var kind in new[] { "clean", "attacked" })
        {
            validation
                .Select(point => Number(point, kind))
                .ShouldBe(scored.Select(model => Number(model!["sets"]![kind]!["accuracy"], "value")));
        }

        // The noise does harm, so that the rule has something to refuse.
        var floor = Number(validation[0], "clean") - 0.1;
        Number(validation[^1], "clean").ShouldBeLessThan(floor);
        var expected = validation
            .Where(point => Number(point, "clean") >= floor)
            .MaxBy(point => (Number(point, "attacked"), -Number(point, "alpha")))!;
        Number(swept["chosen"], "alpha").ShouldBe(Number(expected, "alpha"));
        swept["models"]![2]!["evaluation"]!["attacked"]!["accuracy"].ShouldNotBeNull();

        // Nothing of the other models stays; the chosen one is the mixture.
        Directory
            .EnumerateFileSystemEntries(_folder.File("swept"))
            .Select(Path.GetFileName)
            .Order(StringComparer.Ordinal)
            .ShouldBe([
                "README.md",
                "frontier.svg",
                "openai.safetensors",
                "provenance.json",
                "sweep.json",
                "text_encoder.safetensors",
                "text_encoder_with_projection.safetensors",
            ]);
        RequireMixture(Number(swept["chosen"], "alpha"));
        var kept = JsonNode.Parse(await File.ReadAllTextAsync(_folder.File("swept/sweep.json"), TestContext.Current.CancellationToken))!;
        kept["models"]!.ToJsonString().ShouldBe(swept["models"]!.ToJsonString());
        kept["base"]!.AsObject().Single().Value!.GetValue<string>().ShouldStartWith("sha256:");
    }

    [Fact]
    public async Task A_set_that_chooses_gives_no_test_figure()
    {
        await PrepareAsync();
        var run = await SweepAsync(
            "tuned.safetensors",
            "--validation",
            $"clean={_folder.File("val/evaluation/clean")}",
            "--validation",
            $"attacked={_folder.File("val/evaluation/attacked")}",
            "--evaluation",
            $"attacked={_folder.File("val/evaluation/attacked")}"
        );

        run.Code.ShouldBe(2);
        run.Error.ShouldContain("both --validation and --evaluation");
    }

    [Fact]
    public async Task Images_that_choose_give_no_test_figure_under_another_path_either()
    {
        await PrepareAsync();
        foreach (var file in Directory.GetFiles(_folder.File("val/evaluation/clean"), "*", SearchOption.AllDirectories))
        {
            var copy = _folder.File(Path.Combine("copy", Path.GetRelativePath(_folder.File("val/evaluation/clean"), file)));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var run = await SweepAsync(
            "tuned.safetensors",
            "--validation",
            $"clean={_folder.File("val/evaluation/clean")}",
            "--evaluation",
            $"clean={_folder.File("copy")}"
        );

        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain(
            "are byte for byte pictures of --validation clean too, and accuracy on images that a model was chosen on is not a test result"
        );
    }

    [Fact]
    public async Task Sets_of_one_kind_cannot_choose()
    {
        await PrepareAsync();
        var run = await SweepAsync("tuned.safetensors", "--alpha", "0.5", "--validation", $"clean={_folder.File("val/evaluation/clean")}");

        run.Code.ShouldBe(1);
        run.Error.ShouldContain("needs a set of each kind; given are clean (clean)");
        run.Error.ShouldNotContain("images scored");
    }

    [Theory]
    [InlineData("--alpha must be from 0", "--alpha", "1.5")]
    [InlineData("--clean-tolerance must be", "--clean-tolerance", "-1")]
    [InlineData("format 'onxx' is not known", "--to", "onxx")]
    public async Task Impossible_options_are_wrong_use(string expected, params string[] options)
    {
        var run = await SweepAsync(DemoFiles.Model, ["--validation", $"clean={_folder.Path}", .. options]);

        run.Code.ShouldBe(2);
        run.Error.ShouldContain(expected);
    }

    public void Dispose() => _folder.Dispose();

    private static double Number(JsonNode? node, string name) => node![name]!.GetValue<double>();

    private Task<CommandRun> SweepAsync(string tuned, params string[] options) =>
        CommandRun.OfAsync([
            "wise-ft",
            DemoFiles.Model,
            _folder.File(tuned),
            _folder.File("swept"),
            "--tokenizer",
            DemoFiles.Tokenizer,
            "--data",
            _folder.File("data"),
            .. options,
        ]);

    private async Task<CommandRun> RunAsync(string[] arguments)
    {
        var run = await CommandRun.OfAsync([.. arguments, "--json", "--data", _folder.File("data"), "--threads", "1"]);
        run.Code.ShouldBe(0, run.Error);
        return run;
    }

    private async Task PrepareAsync()
    {
        foreach (var (name, seed) in new[] { ("val", "5"), ("test", "6") })
        {
            await RunAsync(["make-dataset", _folder.File(name), "--seed", seed, "--train", "0", "--tuning", "0", "--evaluation", "40"]);
        }

        using var noGrad = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        using var generator = new torch.Generator(1, torch.CPU);
        using var model = ClipModel.Load(DemoFiles.Model);
        foreach (var (name, weight) in model.StateDict().Where(weight => weight.Key.EndsWith("c_fc.weight", StringComparison.Ordinal)))
        {
            weight.AddInPlace(torch.randn(weight.shape, generator: generator), 2 * weight.std().item<float>());
        }

        model.ToGeometric();
        model.Save(_folder.File("tuned.safetensors"));
    }

    // (1 − α)·base + α·tuned on plain weights, computed here by other means than in the code under test.
    private void RequireMixture(double alpha)
    {
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        using var from = ClipModel.Load(DemoFiles.Model);
        using var to = ClipModel.Load(_folder.File("tuned.safetensors"));
        using var written = ClipModel.Load(_folder.File("swept/openai.safetensors"));
        var (start, end, mixed) = (from.PlainStateDict(), to.PlainStateDict(), written.PlainStateDict());
        foreach (var (key, weight) in mixed)
        {
            torch.lerp(start[key], end[key], torch.tensor((float)alpha)).allclose(weight, rtol: 1e-5, atol: 1e-6).ShouldBeTrue(key);
        }
    }
}
