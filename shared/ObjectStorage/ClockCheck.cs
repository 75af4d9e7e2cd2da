using System.Globalization;
using System.Net;

namespace ClipSae.ObjectStorage;

/// <summary>
/// Says of a refused request that the clocks differ, where they do: servers take signatures of the last quarter of an hour only, and what
/// they say of others reads like a wrong key.
/// </summary>
internal sealed class ClockCheck(string endpoint, TimeProvider time, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private static readonly TimeSpan Tolerated = TimeSpan.FromMinutes(5);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await base.SendAsync(request, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Forbidden || answer.Headers.Date is not { } there)
        {
            return answer;
        }

        var here = time.GetUtcNow();
        if ((here - there).Duration() <= Tolerated)
        {
            return answer;
        }

        answer.Dispose();
        throw new UserErrorException(
            string.Create(
                CultureInfo.InvariantCulture,
                $"the object store {endpoint} refuses requests: this machine's clock ({here:u}) differs "
                    + $"by {Amount((here - there).Duration())} from the store's ({there:u}): set the clocks, for example by NTP"
            )
        );
    }

    private static string Amount(TimeSpan difference) =>
        difference switch
        {
            { TotalDays: >= 2 } => FormattableString.Invariant($"{difference.TotalDays:0} days"),
            { TotalHours: >= 2 } => FormattableString.Invariant($"{difference.TotalHours:0} h"),
            _ => FormattableString.Invariant($"{difference.TotalMinutes:0} min"),
        };
}
