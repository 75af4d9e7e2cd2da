using System.Text;
using ClipSae.Tensors.Files;
using ClipSae.Tensors.Torch;
using ClipSae.TestKit.Files;

namespace ClipSae.Tensors.Tests;

public sealed class ForeignFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1710540580\n", "git lfs pull")]
    [InlineData("<!DOCTYPE html>\n<html class=\"\"><head>", "web page")]
    [InlineData("\u00ef\u00bb\u00bf\n <html>404</html>", "web page")]
    [InlineData("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "web page")]
    [InlineData("{\"error\":\"Invalid username or password.\"}", "it says 'Invalid username or password.'")]
    [InlineData("{\"status\": 404, \"message\": \"Not Found\"}", "it says 'Not Found'")]
    [InlineData("{\"model_type\": \"clip\"}", "a description or a server's answer")]
    [InlineData("GGUF\u0003\0\0\0", "GGUF")]
    [InlineData("\u0089HDF\r\n\u001a\n", "HDF5")]
    [InlineData("\u001f\u008b\u0008\0", "packed by gzip")]
    [InlineData("\u0093NUMPY\u0001\0", "NumPy")]
    [InlineData("7z\u00bc\u00af\u0027\u001c", "7-Zip")]
    [InlineData("\u0089PNG\r\n\u001a\n", "a picture")]
    [InlineData("\u0008\u0008\u0012\u0007pytorch\u001a\u00062.1.0", "ONNX")]
    [InlineData("", "is empty")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0", "did not finish")]
    [InlineData("PK\u0003\u0004\u0014\0\0\0\0\0", "truncated")]
    public void What_is_no_file_of_weights_is_named_by_its_content_with_a_remedy(string content, string what)
    {
        foreach (var name in new[] { "model.safetensors", "model.pt" })
        {
            File.WriteAllBytes(_folder.File(name), Encoding.Latin1.GetBytes(content));

            var message = Should.Throw<UserErrorException>(() => TensorFiles.Open(_folder.File(name))).Message;

            message.ShouldContain(what);
            message.ShouldContain(name);
            message.ShouldNotContain("\n");
        }
    }

    [Fact]
    public void A_pipe_is_no_file_of_weights_and_is_not_waited_for()
    {
        using (var made = System.Diagnostics.Process.Start("mkfifo", [_folder.File("pipe")]))
        {
            made.WaitForExit();
        }

        File.CreateSymbolicLink(_folder.File("link.pt"), _folder.File("pipe"));

        foreach (var name in new[] { "pipe", "link.pt" })
        {
            ShardedTensors.IsIndex(_folder.File(name)).ShouldBeFalse();
            Should.Throw<UserErrorException>(() => TensorFiles.Open(_folder.File(name))).Message.ShouldContain("no regular file");
        }
    }

    [Fact]
    public void An_archive_of_NumPy_arrays_is_named()
    {
        using (var stream = File.Create(_folder.File("x.npz")))
        {
            var zip = new StoredZip(stream);
            zip.Begin("weights.npy", 0, 0);
            zip.End();
        }

        Should.Throw<UserErrorException>(() => TensorFiles.Open(_folder.File("x.npz"))).Message.ShouldContain("NumPy");
    }

    public void Dispose() => _folder.Dispose();
}
