using System.Net;
using ClipSae.Servers;
using ClipSae.TestKit.Clocks;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.ObjectStorage.Tests;

/// <summary>
/// How an upload in parts ends, at a server that answers in chunks and sends white space while it works, as AWS and MinIO do.
/// </summary>
public sealed class UploadTests : IDisposable
{
    private const string Complete =
        """<?xml version="1.0" encoding="UTF-8"?>"""
        + """<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ETag>"whole"</ETag>"""
        + """</CompleteMultipartUploadResult>""";
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private int _completions;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_complete_when_the_server_says_so()
    {
        await UploadAsync("  \n \n" + Complete);

        _completions.ShouldBe(1);
    }

    [Theory]
    [InlineData("\n\n" + """<?xml version="1.0"?><Error><Code>InternalError</Code></Error>""")]
    [InlineData("<Error><Code>SlowDown</Code></Error>")]
    [InlineData("    ")]
    [InlineData("<html>")]
    public async Task An_error_after_the_status_that_may_pass_is_tried_again(string first)
    {
        await UploadAsync(first, Complete);

        _completions.ShouldBe(2);
    }

    [Theory]
    [InlineData("InvalidPart", "InvalidPart")]
    [InlineData("AccessDenied", "refuses writing")]
    [InlineData("QuotaExceeded", "is full or over its quota")]
    public async Task An_error_after_the_status_that_does_not_pass_is_said_at_once(string code, string said)
    {
        (await Should.ThrowAsync<UserErrorException>(() => UploadAsync($"  <Error><Code>{code}</Code></Error>"))).Message.ShouldContain(
            said
        );

        _completions.ShouldBe(1);
    }

    private async Task UploadAsync(params string[] completions)
    {
        using var server = new FakeServer
        {
            Answers = request =>
                (request.HttpMethod, request.Url!.Query) switch
                {
                    ("POST", "?uploads=") => (
                        HttpStatusCode.OK,
                        "<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>"
                    ),
                    ("POST", _) => (HttpStatusCode.OK, completions[_completions++]),
                    _ => null,
                },
        };
        using var store = new S3ObjectStore(server.Options() with { PartBytes = 5 << 20 }, _time);
        var transfer = new ObjectTransfer(store);
        var path = _folder.File("file");
        File.WriteAllBytes(path, new byte[6 << 20]);
        using var file = File.OpenHandle(path);

        var outline = await transfer.OutlineAsync(path, file, CancellationToken.None);
        await _time.PassUntilAsync(transfer.UploadAsync(file, outline, "blobs/file", CancellationToken.None));
    }
}
