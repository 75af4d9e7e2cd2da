using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace ClipSae.Web.Security;

/// <summary>
/// Decides who is answered. A page of another site that the same browser shows can send requests here and, by giving its own name this
/// address (DNS rebinding), read the answers: so the host must be one of those that are served, the origin this one, and what changes or
/// computes something must carry a secret that only pages of this process hold. Where other machines can ask, every request needs the
/// token.
/// </summary>
internal sealed class AccessGuard
{
    /// <summary>Field and header of the secret that changing requests carry.</summary>
    public const string FormField = "csrf";
    public const string Header = "X-CSRF-Token";

    private const string TokenParameter = "token";
    private const int SecretBytes = 24;

    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'";

    private readonly HashSet<string> _hosts;

    public AccessGuard(WebOptions options)
    {
        _hosts = new([.. options.HostNames, "localhost", options.Address.ToString(), "127.0.0.1", "::1"], StringComparer.OrdinalIgnoreCase);
        Token = options.Token ?? (IPAddress.IsLoopback(options.Address) ? null : NewSecret());
    }

    /// <summary>What every request must show; null where only this machine can ask.</summary>
    public string? Token { get; }

    /// <summary>What changing requests carry, other in each process.</summary>
    public string FormSecret { get; } = NewSecret();

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var (request, headers) = (context.Request, context.Response.Headers);
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        if (!_hosts.Contains(request.Host.Host.Trim('[', ']')))
        {
            await RefuseAsync(
                context,
                StatusCodes.Status403Forbidden,
                "This host name is not served here. Open the address that 'clipsae ui' printed, or name this host with --host-name."
            );
        }
        else if (IsFromElsewhere(request))
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "Requests from other sites are refused.");
        }
        else if (Token is { } token && !await IsKnownAsync(context, token))
        {
            if (!context.Response.HasStarted && context.Response.StatusCode != StatusCodes.Status303SeeOther)
            {
                await RefuseAsync(
                    context,
                    StatusCodes.Status401Unauthorized,
                    "A token is required. Open the address that 'clipsae ui' printed, which contains it."
                );
            }
        }
        else if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            await next(context);
        }
        else if (!HttpMethods.IsPost(request.Method))
        {
            await RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "Only GET and POST are answered.");
        }
        else if (!await HasFormSecretAsync(request))
        {
            await RefuseAsync(
                context,
                StatusCodes.Status403Forbidden,
                "This form is not from this page, or the page is from an earlier start of 'clipsae ui'. Reload it and try again."
            );
        }
        else
        {
            await next(context);
        }
    }

    private static bool IsFromElsewhere(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && origin != $"{request.Scheme}://{request.Host.Value}")
        {
            return true;
        }

        // A link from elsewhere may lead here, as a page of its own; nothing else may be asked for from there.
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        return site is "cross-site" or "same-site"
            && !(
                HttpMethods.IsGet(request.Method)
                && request.Headers["Sec-Fetch-Mode"] == "navigate"
                && request.Headers["Sec-Fetch-Dest"] == "document"
            );
    }

    /// <summary>
    /// Whether the request shows the token: in its cookie, as a bearer, or in the address, from where it is moved into the cookie.
    /// </summary>
    private static async Task<bool> IsKnownAsync(HttpContext context, string token)
    {
        var request = context.Request;

        // Browsers send the cookies of all ports of a machine to each of them.
        var cookie = FormattableString.Invariant($"clipsae-{context.Connection.LocalPort}");
        if (
            Is(request.Cookies[cookie], token)
            || Is(request.Headers.Authorization.ToString() is ['B', 'e', 'a', 'r', 'e', 'r', ' ', .. var bearer] ? bearer : null, token)
        )
        {
            return true;
        }

        if (HttpMethods.IsGet(request.Method) && Is(request.Query[TokenParameter], token))
        {
            context.Response.Cookies.Append(
                cookie,
                token,
                new CookieOptions
                {
                    HttpOnly = true,
                    SameSite = SameSiteMode.Strict,
                    Path = "/",
                }
            );
            context.Response.StatusCode = StatusCodes.Status303SeeOther;
            context.Response.Headers.Location = request.Path.Value is ['/', not ('/' or '\\'), ..] path ? path : "/";
            await context.Response.CompleteAsync();
        }

        return false;
    }

    private async Task<bool> HasFormSecretAsync(HttpRequest request)
    {
        var shown = request.Headers[Header].ToString();
        if (shown.Length == 0 && request.HasFormContentType)
        {
            shown = (await request.ReadFormAsync(request.HttpContext.RequestAborted))[FormField].ToString();
        }

        return Is(shown, FormSecret);
    }

    private static bool Is(string? shown, string expected) =>
        shown is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(shown), Encoding.UTF8.GetBytes(expected));

    private static string NewSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretBytes));

    private static Task RefuseAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(why + "\n");
    }
}
