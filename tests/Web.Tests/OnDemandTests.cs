using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Results.Autoencoders;
using ClipSae.Web.Atlas;
using ClipSae.Web.Security;
using static TorchSharp.torch;

namespace ClipSae.Web.Tests;

/// <summary>What is computed when it is asked for: a feature's effect, and what fine-tuning changed.</summary>
public sealed partial class OnDemandTests
{
    [Fact]
    public async Task The_effect_of_a_feature_is_measured_beside_a_random_one_and_kept()
    {
        await using var served = await ServedRuns.StartAsync();
        await TunedAtlas.TellAsync(served);
        (await served.PageAsync(TunedAtlas.Path + "/7")).ShouldContain("Ablate this feature");

        var page = await ComputedAsync(served, TunedAtlas.Path + "/7", "/effect", "Decisions changed");

        page.ShouldContain("4 attacks of this run");
        page.ShouldContain("Neurons that write it");

        // The base takes grey pictures for nothing in particular, and those with a word for the word.
        var (before, ablated) = (Rates(page, "nothing"), Rates(page, "this feature"));
        before[2].ShouldBeGreaterThanOrEqualTo(50);
        before.Length.ShouldBe(ablated.Length);
        await using var runtime = served.Pipeline.Start();
        await using var again = await WebServer.StartAsync(runtime, new WebOptions(), "data", TimeProvider.System);
        (await served.Http.GetStringAsync(new Uri(again.Address, TunedAtlas.Path + "/7"))).ShouldContain("Decisions changed");
    }

    [Fact]
    public async Task Features_are_searched_by_a_picture_that_is_sent()
    {
        await using var served = await ServedRuns.StartAsync();
        await TunedAtlas.TellAsync(served);
        (await served.PageAsync(TunedAtlas.Path)).ShouldContain($"action=\"{TunedAtlas.Path}/picture\"");

        var page = await SendAsync(served, TriedRun.Grey(), await served.SecretAsync());

        page.ShouldContain("Features that fire on this picture");
        var activations = Activation()
            .Matches(page)
            .Select(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
            .ToArray();
        activations.Length.ShouldBeGreaterThan(1);
        activations.ShouldBe(activations.OrderDescending());
        activations.ShouldAllBe(activation => activation > 0);
        (await SendAsync(served, "no picture"u8.ToArray(), await served.SecretAsync())).ShouldContain("a picture cannot be decoded");
        (await SendAsync(served, [], await served.SecretAsync())).ShouldContain("choose a picture");
        (await SendAsync(served, TriedRun.Grey(), "wrong", HttpStatusCode.Forbidden)).ShouldNotContain("fire on this picture");
    }

    [Fact]
    public async Task Before_and_after_shows_what_fine_tuning_changed()
    {
        await using var served = await ServedRuns.StartAsync();
        await TunedAtlas.TellAsync(served);
        (await served.PageAsync(TunedAtlas.Path)).ShouldContain($"href=\"{TunedAtlas.Path}/before-after\"");

        var page = await ComputedAsync(served, TunedAtlas.Path + "/before-after", "", "Text response fell most");

        page.ShouldContain("4 images of the data set");
        page.ShouldContain("4 attacks");
        page.ShouldContain("arm.s0 against the base");
        await served.PageAsync($"/runs/{await served.RunAsync()}/atlas/none/before-after", HttpStatusCode.NotFound);
    }

    [Fact]
    public void A_neuron_that_writes_along_a_direction_is_found()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = ClipModel.Load(TunedAtlas.BaseFile, Tensors.Compute.Device("cpu"));
        var column = model.PlainStateDict()["visual.transformer.resblocks.1.mlp.c_proj.weight"].select(1, 42);

        FeatureEffects.Writers(model, new HookPoint.Residual(2), 3 * column)![0].ShouldBe(new WritingNeuron(1, 42, 1));
        FeatureEffects.Writers(model, new HookPoint.Residual(0), column)!.ShouldAllBe(neuron => neuron.Layer == 0 && neuron.Cosine < 1);
        FeatureEffects.Writers(model, new HookPoint.ImageEmbedding(), zeros(64)).ShouldBeNull();
        var axis = zeros(512);
        axis[5] = 2;
        FeatureEffects.Writers(model, new HookPoint.Mlp(1), axis)![0].ShouldBe(new WritingNeuron(1, 5, 1));
    }

    /// <summary>Clean accuracy, accuracy under attack and attack success rate of a row, percent.</summary>
    private static double[] Rates(string page, string row)
    {
        var start = page.IndexOf($"<th scope=\"row\">{row}", StringComparison.Ordinal);
        return
        [
            .. Percentage()
                .Matches(page[start..page.IndexOf("</tr>", start, StringComparison.Ordinal)])
                .Select(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)),
        ];
    }

    private static async Task<string> SendAsync(
        ServedRuns served,
        byte[] picture,
        string secret,
        HttpStatusCode expected = HttpStatusCode.OK
    )
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(secret), "csrf" },
            { new ByteArrayContent(picture), "picture", "picture.png" },
        };
        using var response = await served.Http.PostAsync(TunedAtlas.Path + "/picture", form);
        response.StatusCode.ShouldBe(expected);
        return await response.Content.ReadAsStringAsync();
    }

    [GeneratedRegex("<b>activation ([0-9.]+)</b>")]
    private static partial Regex Activation();

    [GeneratedRegex(@">([0-9.]+)&#x202F;%")]
    private static partial Regex Percentage();

    private static async Task<string> ComputedAsync(ServedRuns served, string page, string action, string expected)
    {
        using var started = await served.PostAsync(page + action, await served.SecretAsync());
        started.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        started.Headers.Location!.ToString().Split('#')[0].ShouldBe(page);
        var shown = await served.PageAsync(page);
        for (var look = 0; look < 400 && !shown.Contains(expected, StringComparison.Ordinal); look++)
        {
            await Task.Delay(50);
            shown = await served.PageAsync(page);
            shown.ShouldNotContain("Not computed");
        }

        shown.ShouldContain(expected);
        return shown;
    }
}
