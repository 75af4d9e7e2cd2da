using Microsoft.Playwright;

namespace ClipSae.Web.Tests.Browser;

/// <summary>The machine's Chromium, started once for all tests that need a browser.</summary>
public sealed class Chromium : IAsyncLifetime
{
    /// <summary>A folder that takes a picture of every page that <see cref="Visit"/> looked at; none where it is not set.</summary>
    private const string ScreenshotsVariable = "CLIPSAE_SCREENSHOTS";

    // Of another site that leads here, as a name under an attacker's control can.
    public const string Stranger = "attacker.example";

    // Milliseconds, of a machine that is busy with much else.
    private const float Patience = 20_000;

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public static string? Screenshots => Environment.GetEnvironmentVariable(ScreenshotsVariable);

    public async ValueTask InitializeAsync()
    {
        if (Find() is not { } program)
        {
            return;
        }

        Assertions.SetDefaultExpectTimeout(Patience);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = program, Args = [$"--host-resolver-rules=MAP {Stranger} 127.0.0.1"] }
        );
    }

    /// <summary>Opens a window on the pages that are served; without a browser the test is skipped.</summary>
    internal async Task<Visit> VisitAsync(ServedRuns served)
    {
        Assert.SkipWhen(_browser is null, "Chromium is not installed: apt-get install chromium");
        var context = await _browser.NewContextAsync(
            new BrowserNewContextOptions
            {
                BaseURL = served.Http.BaseAddress!.ToString(),
                ViewportSize = new ViewportSize { Width = Visit.Screen, Height = Visit.Height },
            }
        );
        context.SetDefaultTimeout(Patience);
        return await Visit.OpenAsync(context);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }

    private static string? Find() =>
        (
            from name in Names
            from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            select Path.Combine(folder, name)
        ).FirstOrDefault(File.Exists);
}
