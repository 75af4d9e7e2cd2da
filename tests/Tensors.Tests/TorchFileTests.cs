using System.Text;
using ClipSae.Tensors.Torch;
using ClipSae.TestKit.Files;
using ClipSae.TestKit.Formats;
using TorchSharp;

namespace ClipSae.Tensors.Tests;

public sealed class TorchFileTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    // The safetensors files hold the same weights, value for value.
    [Theory]
    [InlineData("openai_clip_tiny.state_dict.fp16.pt", TorchFileKind.Zip, "openai_clip_tiny.safetensors")]
    [InlineData("openai_clip_tiny.state_dict.legacy.pt", TorchFileKind.Legacy, "openai_clip_tiny.safetensors")]
    [InlineData("openai_clip_tiny.gmp.whole_model_pickle.pt", TorchFileKind.Zip, "openai_clip_tiny.gmp.safetensors")]
    public void Files_of_PyTorch_give_their_tensors(string name, TorchFileKind kind, string same)
    {
        using var file = TorchFile.Open(Reference.File(name));
        using var expected = SafetensorsFile.Open(Reference.File(same));

        file.Kind.ShouldBe(kind);
        file.Entries.Keys.ShouldBe(expected.Entries.Keys, ignoreOrder: true);
        foreach (var key in expected.Entries.Keys)
        {
            var read = file.Read(key);
            read.shape.ShouldBe(expected.Entries[key].Shape, key);
            read.Equals(expected.Read(key).to(read.dtype)).ShouldBeTrue(key);
        }
    }

    [Fact]
    public void A_TorchScript_archive_gives_the_weights_of_its_modules()
    {
        var tensors = new Dictionary<string, torch.Tensor>
        {
            ["positional_embedding"] = torch.arange(3f),
            ["visual.0.weight"] = torch.tensor(new[] { 0.5f, -0.5f }),
            ["visual.1.weight"] = torch.ones([2, 2], torch.float16),
        };
        ScriptArchive.Write(_folder.File("model.pt"), tensors);

        using var file = TorchFile.Open(_folder.File("model.pt"));

        file.Kind.ShouldBe(TorchFileKind.Script);
        file.Entries.Keys.ShouldBe(tensors.Keys, ignoreOrder: true);
        tensors.ShouldAllBe(tensor => file.Read(tensor.Key).dtype == tensor.Value.dtype && file.Read(tensor.Key).Equals(tensor.Value));
    }

    [Fact]
    public void A_hostile_pickle_is_refused_by_the_name_it_asks_for_and_nothing_runs()
    {
        var error = Should.Throw<UserErrorException>(() => TorchFile.Open(Reference.File("hostile_pickle.pt")));

        error.Message.ShouldContain("'posix.system'");
        error.Message.ShouldContain("hostile_pickle.pt");
        File.Exists("pwned-by-pickle").ShouldBeFalse();
    }

    [Theory]
    [InlineData("cos\nsystem\n)R.", "'os.system'")]
    [InlineData("cos\nsystem\n)\u0081.", "'os.system'")]
    [InlineData("cbuiltins\neval\nX\u0001\0\0\01\u0085R.", "'builtins.eval'")]
    [InlineData("cnumpy.core.multiarray\n_reconstruct\n)R.", "'numpy.core.multiarray._reconstruct'")]
    [InlineData("}X\u0001\0\0\0acos\nsystem\ns.", "'os.system'")]
    [InlineData("\u008c\u0002os\u008c\u0006system\u0093)R.", "'os.system'")]
    [InlineData("cos\nsystem\n.", "'os.system'")]
    public void Every_way_to_name_a_foreign_global_is_refused(string pickle, string name)
    {
        WriteArchive("\u0080\u0002" + pickle);

        Should.Throw<UserErrorException>(Open).Message.ShouldContain(name);
    }

    [Theory]
    [InlineData("K\u0004", "K\u0003", "K\u0001", "reaches beyond")] // storage of 4, tensor of 3 with strides that fit
    [InlineData("K\u0004", "M\u0001\u0010", "K\0", "tensors take 16388 bytes")] // stride 0 would repeat one element 4,097 times
    [InlineData("M\0\u0001", "K\u0004", "K\u0001", "storage '0' should have 1024 bytes")]
    [InlineData("K\u0004", "J\u00ff\u00ff\u00ff\u00ff", "K\u0001", "no valid offset")]
    public void A_tensor_that_its_storage_does_not_hold_is_refused(string elements, string size, string stride, string reason)
    {
        var start = reason == "reaches beyond" && size.StartsWith('K') ? "K\u0002" : "K\0";
        WriteArchive(
            "\u0080\u0002}X\u0001\0\0\0actorch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storagectorch\nFloatStorage\n"
                + "X\u0001\0\0\00X\u0003\0\0\0cpu"
                + $"{elements}tQ{start}{size}\u0085{stride}\u0085\u0089NtRs."
        );

        Should.Throw<UserErrorException>(Open).Message.ShouldContain(reason);
    }

    [Fact]
    public void A_transposed_view_is_read_in_the_order_of_its_axes()
    {
        WriteArchive(
            "\u0080\u0002}X\u0001\0\0\0actorch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storagectorch\nFloatStorage\n"
                + "X\u0001\0\0\00X\u0003\0\0\0cpu"
                + "K\u0004tQK\0K\u0002K\u0002\u0086K\u0001K\u0002\u0086\u0089NtRs."
        );

        using var file = TorchFile.Open(_folder.File("x.pt"));

        file.Read("a").data<float>().ToArray().ShouldBe([0, 2, 1, 3]);
    }

    [Fact]
    public void Modules_that_hold_each_other_end_in_an_error()
    {
        // A module whose _modules hold itself twice: 2^64 paths.
        WriteArchive("\u0080\u0002cx\nM\n)\u0081q\0}(X\u0008\0\0\0_modules}(X\u0001\0\0\0ah\0X\u0001\0\0\0bh\0uub.");

        Should.Throw<UserErrorException>(Open).Message.ShouldContain("nested");
    }

    [Fact]
    public void A_file_of_another_kind_is_refused()
    {
        File.WriteAllText(_folder.File("x.pt"), "<html>404</html>");
        Should.Throw<UserErrorException>(Open).Message.ShouldContain("x.pt");
        File.WriteAllBytes(_folder.File("x.pt"), []);
        Should.Throw<UserErrorException>(Open).Message.ShouldContain("x.pt");
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private void Open() => TorchFile.Open(_folder.File("x.pt")).Dispose();

    // Storage 0 holds 0, 1, 2, 3 as float32.
    private void WriteArchive(string pickle)
    {
        using var stream = File.Create(_folder.File("x.pt"));
        var zip = new StoredZip(stream);
        var data = Encoding.Latin1.GetBytes(pickle);
        zip.Begin("x/data.pkl", 0, data.Length);
        zip.Append(data);
        zip.Begin("x/data/0", 0, 16);
        zip.Append(
            new float[] { 0, 1, 2, 3 }
                .SelectMany(BitConverter.GetBytes)
                .ToArray()
        );
        zip.End();
    }
}
