using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

public sealed class BadInputTests : IDisposable
{
    private const string Model = "model.safetensors";
    private readonly TemporaryFolder _folder = new();

    private static string DemoModel => Path.Combine(AppContext.BaseDirectory, "Demo", Model);

    private static string DemoVocabulary => Path.Combine(AppContext.BaseDirectory, "Demo", "bpe.txt.gz");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("unknown option --dataste for 'run': did you mean --dataset", "run", "--dataste", "x")]
    [InlineData("unknown verb 'rnu'", "rnu")]
    [InlineData("there is no run nothing", "replay", "nothing", "--from", "sae")]
    [InlineData("there is no folder /nowhere/photos", "run", "--dataset", "/nowhere/photos", "--model", "/nowhere/model")]
    [InlineData("unknown parameter kk", "demo", "--set", "sae.kk=3")]
    [InlineData("extraction.batch is called extraction.batchSize now", "demo", "--set", "extraction.batch=8")]
    [InlineData("unknown parameter section tunning", "demo", "--set", "tunning.steps=3")]
    [InlineData("expected section.key=value", "demo", "--set", "steps")]
    [InlineData("device 'tpu' is not known", "demo", "--device", "tpu")]
    [InlineData("threads is 0", "demo", "--threads", "0")]
    public async Task A_wrong_command_line_ends_with_code_2(string expected, params string[] arguments) =>
        (await Command.RunAsync([.. arguments, "--data", _folder.File("data")])).ShouldRefuse(2, expected);

    [Fact]
    public async Task An_empty_data_set_is_named()
    {
        Directory.CreateDirectory(_folder.File("photos"));

        (await RunAsync(_folder.File("photos"))).ShouldRefuse(2, _folder.File("photos"));
    }

    [Fact]
    public async Task A_data_set_of_one_class_is_refused()
    {
        await DrawAsync(16);
        Directory.CreateDirectory(_folder.File("photos", "cat"));
        foreach (var file in Directory.GetFiles(_folder.File("world", "tuning", "images")))
        {
            File.Copy(file, _folder.File("photos", "cat", Path.GetFileName(file)));
        }

        (await RunAsync(_folder.File("photos"))).ShouldRefuse(2, "the images are labelled with 1 class and attacks need two");
    }

    [Fact]
    public async Task Captions_without_labels_need_classes_to_be_named()
    {
        await DrawAsync(16);
        Directory.CreateDirectory(_folder.File("photos"));
        foreach (var file in Directory.GetFiles(_folder.File("world", "tuning", "images")))
        {
            File.Copy(file, _folder.File("photos", Path.GetFileName(file)));
            File.WriteAllText(_folder.File("photos", Path.ChangeExtension(Path.GetFileName(file), ".txt")), "a cat or a dog");
        }

        (await RunAsync(_folder.File("photos"))).ShouldRefuse(
            2,
            "the images are labelled with 0 classes",
            "--set curation.classes=cat,dog"
        );
    }

    [Fact]
    public async Task A_checkpoint_that_is_no_safetensors_file_is_refused()
    {
        await DrawAsync(16);
        File.WriteAllText(_folder.File(Model), "these are no weights, but a text that is long enough to look at");

        (await RunAsync(_folder.File("world", "tuning"), _folder.File(Model))).ShouldRefuse(1, _folder.File(Model));
    }

    [Fact]
    public async Task A_truncated_checkpoint_is_refused()
    {
        await DrawAsync(16);
        File.WriteAllBytes(_folder.File(Model), File.ReadAllBytes(DemoModel)[..^1000]);

        (await RunAsync(_folder.File("world", "tuning"), _folder.File(Model))).ShouldRefuse(1, _folder.File(Model));
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(1L << 40)]
    public async Task A_checkpoint_whose_header_lies_about_its_length_is_refused(long length)
    {
        await DrawAsync(16);
        var bytes = File.ReadAllBytes(DemoModel)[..4096];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        File.WriteAllBytes(_folder.File(Model), bytes);

        (await RunAsync(_folder.File("world", "tuning"), _folder.File(Model))).ShouldRefuse(1, _folder.File(Model));
    }

    [Fact]
    public async Task A_tensor_of_wrong_shape_is_named()
    {
        await DrawAsync(16);
        RewriteHeader(header =>
        {
            var shape = header["visual.proj"]!["shape"]!.AsArray();
            (shape[0], shape[1]) = (shape[0]!.GetValue<long>() * 2, shape[1]!.GetValue<long>() / 2);
        });

        (await RunAsync(_folder.File("world", "tuning"), _folder.File(Model))).ShouldRefuse(1, "visual.proj");
    }

    [Fact]
    public async Task A_caption_file_cannot_reach_out_of_its_folder()
    {
        await DrawAsync(16);
        File.Copy(_folder.File("world", "tuning", "images", "00000.png"), _folder.File("x.png"));
        File.WriteAllText(
            _folder.File("world", "tuning", "captions.json"),
            """{"../../x.png": "a photo of a cat", "images/00001.png": "a photo of a dog"}"""
        );

        (await RunAsync(_folder.File("world", "tuning"))).ShouldRefuse(1, "../../x.png");
    }

    [Fact]
    public async Task An_image_that_claims_40_000_pixels_a_side_is_refused_by_its_header()
    {
        await DrawAsync(16);
        var png = File.ReadAllBytes(_folder.File("world", "tuning", "images", "00000.png"));
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), 40_000);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), 40_000);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc32(png.AsSpan(12, 17)));
        File.WriteAllBytes(_folder.File("world", "tuning", "images", "00000.png"), png);

        // One of sixteen is above the share of rows that may be unusable.
        (await RunAsync(_folder.File("world", "tuning"))).ShouldRefuse(1, "00000.png", "40000");
    }

    [Fact]
    public async Task A_file_size_limit_like_a_full_disk_is_one_line_and_the_next_run_succeeds()
    {
        // 256 blocks of 512 bytes: pictures fit, the checkpoint does not. Ignored, the signal becomes an error of the write.
        // The runtime itself maps a large file to keep code pages unwritable, and dies under any such limit unless that is off.
        var full = await Command.RunAsync(
            TinyDemo.Arguments(_folder.File("data")),
            "trap '' XFSZ; export DOTNET_EnableWriteXorExecute=0; ulimit -f 256"
        );
        full.ShouldRefuse(1, "disk full");

        (await Command.RunAsync(TinyDemo.Arguments(_folder.File("data")))).Code.ShouldBe(0);
    }

    private Task<CommandResult> RunAsync(string dataset, string? model = null) =>
        Command.RunAsync([
            "run",
            "--dataset",
            dataset,
            "--model",
            model ?? DemoModel,
            "--tokenizer",
            DemoVocabulary,
            "--preset",
            "demo",
            "--data",
            _folder.File("data"),
        ]);

    private async Task DrawAsync(int images) =>
        (
            await Command.RunAsync(["make-dataset", _folder.File("world"), "--train", "0", "--tuning", $"{images}", "--evaluation", "0"])
        ).Code.ShouldBe(0);

    private void RewriteHeader(Action<JsonObject> change)
    {
        var bytes = File.ReadAllBytes(DemoModel);
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        var header = JsonNode.Parse(bytes.AsSpan(8, length))!.AsObject();
        change(header);
        var text = Encoding.UTF8.GetBytes(header.ToJsonString());
        var padded = new byte[(text.Length + 7) / 8 * 8];
        padded.AsSpan().Fill((byte)' ');
        text.CopyTo(padded, 0);
        var size = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(size, padded.Length);
        File.WriteAllBytes(_folder.File(Model), [.. size, .. padded, .. bytes.AsSpan(8 + length)]);
    }

    // PNG, annex D: reflected polynomial 0xEDB88320.
    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(int)(crc & 1));
            }
        }

        return ~crc;
    }
}
