using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ClipSae.Web.Tests;

/// <summary>The demo's base believes what is written: asked about a grey picture with a word, it answers with the word.</summary>
public sealed class TryTests
{
    private const string Run = TriedRun.Run;

    [Fact]
    public async Task A_word_that_is_printed_is_what_the_base_sees()
    {
        await using var served = await TellAsync();
        (await served.PageAsync($"/runs/{Run}")).ShouldContain($"href=\"/runs/{Run}/try\"");

        var page = await AskAsync(served, TriedRun.Grey(), "star");

        page.ShouldNotContain("class=\"problem\"");
        var printed = page[page.IndexOf("With the word", StringComparison.Ordinal)..];
        printed[printed.IndexOf("<li>", StringComparison.Ordinal)..].ShouldStartWith("<li><span>star</span>");
        page.ShouldContain("This run has no tuned model.");
    }

    [Fact]
    public async Task What_cannot_be_asked_is_told_in_a_line()
    {
        await using var served = await TellAsync();
        (await AskAsync(served, "no picture"u8.ToArray(), "star")).ShouldContain("the picture cannot be decoded");
        (await AskAsync(served, null, "star")).ShouldContain("choose a picture");
        (await AskAsync(served, TriedRun.Grey(), new string('x', 41))).ShouldContain("longer than 40 letters");
        (await AskAsync(served, TriedRun.Grey(), "star", family: "<b>")).ShouldContain("&#x27;&lt;b&gt;&#x27; is not a family of print");
        using var refused = await served.PostAsync($"/runs/{Run}/try", "wrong");
        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_picture_larger_than_a_request_may_be_is_refused()
    {
        await using var served = await TellAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, served.Server.Address.Port);
        await client
            .GetStream()
            .WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"POST /runs/{Run}/try HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                        + $"application/x-www-form-urlencoded\r\nContent-Length: {17 << 20}\r\n\r\n"
                )
            );
        using var answer = new StreamReader(client.GetStream());
        (await answer.ReadLineAsync()).ShouldBe("HTTP/1.1 413 Payload Too Large");
    }

    private static async Task<string> AskAsync(ServedRuns served, byte[]? picture, string word, string family = "corner")
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(await served.SecretAsync()), "csrf" },
            { new StringContent(word), "word" },
            { new StringContent(family), "family" },
            { new StringContent("boat, car, cat"), "classes" },
        };
        if (picture is not null)
        {
            form.Add(new ByteArrayContent(picture), "picture", "picture.png");
        }

        using var response = await served.Http.PostAsync($"/runs/{Run}/try", form);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await response.Content.ReadAsStringAsync();
    }

    private static async Task<ServedRuns> TellAsync()
    {
        var served = await ServedRuns.StartAsync();
        await TriedRun.TellAsync(served);
        return served;
    }
}
