using ClipSae.Cli.Demo;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Cli.Tests;

/// <summary>What the verbs say of weights that cannot be right: one line, exit code 1, and the same with <c>--json</c>.</summary>
public sealed class WeightFaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("embed", "--text", "a cat", "--model", "MODEL", "--tokenizer", "BPE")]
    [InlineData("embed", "--text", "a cat", "--model", "MODEL", "--tokenizer", "BPE", "--json")]
    [InlineData("embed", "--text", "a cat", "--model", "MODEL", "--tokenizer", "BPE", "--out", "OUT/x.safetensors")]
    [InlineData("convert", "MODEL", "OUT", "--to", "openai", "open-clip")]
    [InlineData("convert", "MODEL", "OUT", "--to", "openai", "--json")]
    [InlineData("interpolate", "MODEL", "MODEL", "OUT", "--alpha", "0.5")]
    [InlineData("run", "--dataset", "PHOTOS", "--model", "MODEL", "--tokenizer", "BPE", "--preset", "demo")]
    public async Task NaN_in_weights_is_told_by_every_verb_with_name_and_count(params string[] command)
    {
        Change(weights => weights["visual.proj"][..2].fill_(float.NaN));

        var run = await RunAsync(command);

        run.Code.ShouldBe(1, run.Out + run.Error);
        run.Error.ShouldContain("key 'visual.proj' has ");
        run.Error.ShouldContain("NaN or infinite");
        run.Error.ShouldNotContain("defect");
        if (command.Contains("--json"))
        {
            run.Json["error"]!.GetValue<string>().ShouldContain("'visual.proj'");
        }

        Directory.EnumerateFiles(_folder.File("out"), "*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task Features_that_are_no_numbers_are_told()
    {
        Change(weights => weights["visual.ln_post.weight"].fill_(3e38f));
        using (var picture = File.Create(_folder.File("p.png")))
        {
            picture.Write(
                Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
            );
        }

        var run = await RunAsync("embed", _folder.File("p.png"), "--model", "MODEL");

        run.Code.ShouldBe(1, run.Out);
        run.Error.ShouldContain("are not finite numbers");
    }

    [Fact]
    public async Task A_conversion_that_fails_leaves_what_was_there_and_says_what_to_do()
    {
        Change(weights => weights["visual.transformer.resblocks.0.mlp.c_fc.weight"][0, 0] = 7e4f);
        (await RunAsync("convert", Path.GetFullPath(DemoFiles.Model), "OUT", "--to", "openai")).Code.ShouldBe(0);
        var before = Directory.EnumerateFiles(_folder.File("out")).ToDictionary(file => file, Artifacts.Digest.OfFile);

        var run = await RunAsync("convert", "MODEL", "OUT", "--to", "openai", "huggingface", "--tokenizer", "BPE", "--dtype", "float16");

        run.Code.ShouldBe(1, run.Out);
        run.Error.ShouldContain("'visual.transformer.resblocks.0.mlp.c_fc.weight' has values up to 7.0e+4");
        run.Error.ShouldContain("--dtype bfloat16 or float32");
        Directory
            .EnumerateFileSystemEntries(_folder.File("out"))
            .ToDictionary(file => file, Artifacts.Digest.OfFile)
            .ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public async Task A_precision_that_a_format_does_not_hold_is_wrong_use()
    {
        var run = await RunAsync("convert", Path.GetFullPath(DemoFiles.Model), "OUT", "--to", "gmp", "--dtype", "float16");

        run.Code.ShouldBe(2, run.Out);
        run.Error.ShouldContain("gmp, which supports float32 only");
    }

    [Fact]
    public async Task A_page_of_a_server_is_neither_weights_nor_vocabulary()
    {
        File.WriteAllText(_folder.File("page"), "<!DOCTYPE html>\n<html lang=\"en\">\n\n<head>\n");

        foreach (
            var command in new[]
            {
                ["embed", "--text", "a", "--model", _folder.File("page"), "--tokenizer", "BPE"],
                new[] { "tokenize", "a", "--tokenizer", _folder.File("page") },
            }
        )
        {
            var run = await RunAsync(command);
            run.Code.ShouldBe(1, run.Out);
            run.Error.ShouldContain("web page (HTML)");
        }
    }

    [Fact]
    public async Task A_description_beside_a_file_that_is_named_directly_counts()
    {
        Change(_ => { });
        File.WriteAllText(
            _folder.File("preprocessor_config.json"),
            """{"do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"""
        );

        var run = await RunAsync("embed", "--text", "a cat", "--model", "MODEL", "--tokenizer", "BPE");

        run.Code.ShouldBe(1, run.Out);
        run.Error.ShouldContain("preprocessor_config.json: 'image_mean' is [0.5, 0.5, 0.5]");
    }

    public void Dispose() => _folder.Dispose();

    private void Change(Action<Dictionary<string, torch.Tensor>> change)
    {
        using var scope = torch.NewDisposeScope();
        using var file = SafetensorsFile.Open(DemoFiles.Model);
        var weights = file.Entries.Keys.ToDictionary(key => key, key => file.Read(key).to(torch.float32));
        change(weights);
        SafetensorsWriter.Write(_folder.File("model.safetensors"), weights);
    }

    private Task<CommandRun> RunAsync(params string[] command)
    {
        Directory.CreateDirectory(_folder.File("out"));
        Directory.CreateDirectory(_folder.File("photos"));
        return CommandRun.OfAsync([
            .. command.Select(word =>
                word.Replace("MODEL", _folder.File("model.safetensors"), StringComparison.Ordinal)
                    .Replace("BPE", DemoFiles.Tokenizer, StringComparison.Ordinal)
                    .Replace("PHOTOS", _folder.File("photos"), StringComparison.Ordinal)
                    .Replace("OUT", _folder.File("out"), StringComparison.Ordinal)
            ),
            "--data",
            _folder.File("data"),
        ]);
    }
}
