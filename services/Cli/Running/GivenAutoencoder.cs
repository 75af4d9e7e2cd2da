using ClipSae.Cli.CommandLine;
using ClipSae.Clip.Architecture;
using ClipSae.Sae.Encoding;
using ClipSae.Sae.Formats;

namespace ClipSae.Cli.Running;

/// <summary>An autoencoder that was trained elsewhere, as the command line gives it: <c>HOOK=PATH</c>.</summary>
/// <param name="Hook">The hook point that it reads.</param>
/// <param name="Path">A file, or a folder.</param>
internal sealed record GivenAutoencoder(string Hook, string Path)
{
    private const string Option = "--sae";

    /// <summary>All that the option names.</summary>
    /// <exception cref="WrongUseException">A text has another form, there is nothing at a path, or a hook point is given twice or is not in
    /// the model.</exception>
    public static async Task<IReadOnlyList<GivenAutoencoder>> ParseAllAsync(
        IReadOnlyList<string>? given,
        ClipArchitecture architecture,
        Session session,
        CancellationToken cancel
    )
    {
        var all = new List<GivenAutoencoder>();
        foreach (var text in given ?? [])
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            WrongUseException.ThrowIf(equals <= 0, $"{Option} {text}: expected HOOK=PATH, for example residual@11=sae.safetensors");

            var path = GivenPath.FileOrFolder(Option, (await RemotePath.LocalAsync(Option, text[(equals + 1)..], session, cancel))!);
            all.Add(
                Naming(text[..equals], () =>
                    new GivenAutoencoder(HookPoint.Parse(text[..equals]).CheckedFor(architecture).ToString(), path)
                )
            );
        }

        GivenNames.RequireDistinct(Option, all.Select(one => one.Hook));
        return all;
    }

    /// <summary>Reads it; the caller owns it.</summary>
    /// <exception cref="WrongUseException">It cannot be read, or is of another width than the model's activations there.</exception>
    public SparseAutoencoder Load(ClipArchitecture architecture) => Naming(Hook, () =>
        {
            var sae = ForeignAutoencoder.Load(Path);
            var width = HookPoint.Parse(Hook).Width(architecture);
            if (sae.InputWidth == width)
            {
                return sae;
            }

            using (sae)
            {
                throw new UserErrorException(
                    $"the autoencoder takes activations {sae.InputWidth} wide, but {Hook} of this model is {width} wide; "
                        + "name the hook point and the model that it was trained at"
                );
            }
        });

    private static T Naming<T>(string hook, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (UserErrorException error)
        {
            throw new WrongUseException($"{Option} {hook}: {error.Message}", error);
        }
    }
}
