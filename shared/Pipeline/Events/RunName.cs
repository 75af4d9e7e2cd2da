using System.Globalization;
using System.Security.Cryptography;
using ClipSae.Contracts;

namespace ClipSae.Pipeline;

/// <summary>Names of runs: letters, digits, '-', '_' and '.', so that they are file names and keys everywhere.</summary>
public static class RunName
{
    /// <summary>A new name that sorts by time: <c>20261123-233800-1f0c</c>.</summary>
    public static string New(TimeProvider time) =>
        time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture) + "-" + RandomNumberGenerator.GetHexString(4, lowercase: true);

    /// <exception cref="UserErrorException">The name has other characters or is longer than 100.</exception>
    public static void Require(string run)
    {
        if (run.Length is 0 or > 100 || run[0] == '.' || run.Any(character => !char.IsAsciiLetterOrDigit(character) && character is not ('-' or '_' or '.')))
        {
            throw new UserErrorException($"'{run}' is no name for a run: use letters, digits, '-', '_' and '.', at most 100");
        }
    }
}
