using System.Net;

namespace ClipSae.Web.Security;

/// <summary>Where the pages are served, and what they may do.</summary>
public sealed record WebOptions
{
    private const int ShortestToken = 16;

    /// <summary>Address to listen on. Default: loopback, which other machines cannot reach.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Port to listen on; 0, the default, takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>
    /// Other names under which a browser may ask, such as the machine's name on its network. Requests for any other host are refused.
    /// </summary>
    public IReadOnlyList<string> HostNames { get; init; } = [];

    /// <summary>
    /// What whoever asks must show; null makes one up where one is needed, which is wherever the address is not loopback.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>Whether runs may be cancelled, retried and replayed with changes. Default no: the pages only read.</summary>
    public bool AllowChanges { get; init; }

    /// <exception cref="UserErrorException">A value is impossible; the message names the option of the command.</exception>
    public void Validate()
    {
        if (Port is < 0 or > IPEndPoint.MaxPort)
        {
            throw new UserErrorException(
                FormattableString.Invariant($"--port {Port}: must be 0 to {IPEndPoint.MaxPort}; 0 takes a free one")
            );
        }

        if (
            Token is { } token
            && (
                token.Length < ShortestToken
                || token.Any(character => !char.IsAsciiLetterOrDigit(character) && character is not ('-' or '_'))
            )
        )
        {
            throw new UserErrorException(
                FormattableString.Invariant($"the token must have at least {ShortestToken} letters, digits, '-' or '_'")
            );
        }
    }
}
