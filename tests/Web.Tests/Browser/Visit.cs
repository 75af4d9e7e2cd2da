using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace ClipSae.Web.Tests.Browser;

/// <summary>A window on the pages, with a record of what went wrong in it.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();
    public const int Screen = 1400;
    public const int Height = 900;
    private const int Phone = 390;
    private const float TallestPicture = 2400;
    private readonly IBrowserContext _context;
    private readonly List<string> _problems = [];

    private Visit(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) => Note(message.Type == "error", $"console: {message.Text}");
        page.PageError += (_, error) => Note(true, $"script: {error}");
        page.Dialog += async (_, dialog) =>
        {
            Note(true, $"dialog: {dialog.Message}");
            await dialog.DismissAsync();
        };
        page.Request += (_, request) =>
            Note(
                !request.Url.StartsWith("data:", StringComparison.Ordinal)
                    && new Uri(request.Url) is { IsFile: false, Host: not "127.0.0.1" },
                $"asked elsewhere: {request.Url}"
            );
        page.Response += (_, response) => Note(response.Status >= 500, $"{response.Status}: {response.Url}");
    }

    public IPage Page { get; }

    /// <summary>Console errors, script errors, dialogs, failed answers, and requests to another host, so far.</summary>
    public IReadOnlyList<string> Problems
    {
        get
        {
            lock (_problems)
            {
                return [.. _problems];
            }
        }
    }

    public static async Task<Visit> OpenAsync(IBrowserContext context) => new(context, await context.NewPageAsync());

    /// <summary>Opens an address; on a screen and on a phone the page fits its window, and nothing goes wrong on it.</summary>
    public async Task SeeAsync(string path)
    {
        await Page.GotoAsync(path);
        await AtEveryWidthAsync(() => RequireFitAsync(path));
        Problems.ShouldBeEmpty(path);
    }

    /// <summary>Sees that the page that is open fits its window, and that axe-core has no serious finding.</summary>
    public async Task RequireReadableAsync(string name)
    {
        await AtEveryWidthAsync(async () =>
        {
            await RequireFitAsync(name);
            await Page.EvaluateAsync(Axe);
            var found = await Page.EvaluateAsync<string[]>(
                "axe.run({ resultTypes: ['violations'], preload: false }).then(result => result.violations.filter(found => "
                    + "found.impact === 'serious' || found.impact === 'critical').map(found => `${found.id}: ${found.nodes[0].html}`))"
            );
            found.ShouldBeEmpty(name);
        });
        Problems.ShouldBeEmpty(name);
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private async Task AtEveryWidthAsync(Func<Task> look)
    {
        foreach (var width in new[] { Phone, Screen })
        {
            await Page.SetViewportSizeAsync(width, Height);
            await look();
        }
    }

    private async Task RequireFitAsync(string name)
    {
        await PictureAsync($"{name}-{Page.ViewportSize!.Width}");
        var over = await Page.EvaluateAsync<string[]>(
            """
            () => {
              const width = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth <= width) return [];
              return [...document.querySelectorAll('main *')].filter(element => element.getBoundingClientRect().right > width && !element.closest('.wide')).map(element => element.outerHTML.slice(0, 120));
            }
            """
        );
        over.ShouldBeEmpty($"{name} is wider than its window");
    }

    private async Task PictureAsync(string name)
    {
        if (Chromium.Screenshots is { Length: > 0 } folder)
        {
            var file = string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_'));
            var (width, height) = (
                await Page.EvaluateAsync<float>("document.documentElement.scrollWidth"),
                await Page.EvaluateAsync<float>("document.documentElement.scrollHeight")
            );
            await Page.ScreenshotAsync(
                new PageScreenshotOptions
                {
                    Path = Path.Combine(folder, file + ".png"),
                    FullPage = true,
                    Clip = new Microsoft.Playwright.Clip { Width = width, Height = Math.Min(height, TallestPicture) },
                }
            );
        }
    }

    private void Note(bool isProblem, string line)
    {
        if (isProblem)
        {
            lock (_problems)
            {
                _problems.Add(line);
            }
        }
    }
}
