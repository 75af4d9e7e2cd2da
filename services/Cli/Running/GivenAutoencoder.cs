using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Sae;

namespace ClipSae.Cli;

/// <summary>An autoencoder that was trained elsewhere, as the command line gives it: <c>HOOK=PATH</c>.</summary>
/// <param name="Hook">The hook point that it reads.</param>
/// <param name="Path">A file, or a folder.</param>
internal sealed record GivenAutoencoder(string Hook, string Path)
{
    /// <summary>All that an option names, held against the model.</summary>
    /// <exception cref="WrongUseException">A text has another form, a hook point is given twice or is not in the model, or an autoencoder cannot be read or is of another width.</exception>
    public static async Task<IReadOnlyList<GivenAutoencoder>> ParseAllAsync(string option, IReadOnlyList<string>? given, ClipArchitecture architecture, Session session, CancellationToken cancel)
    {
        var all = new List<GivenAutoencoder>();
        foreach (var text in given ?? [])
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new WrongUseException($"{option} {text}: expected HOOK=PATH, for example residual@11=sae.safetensors");
            }

            var path = GivenPath.FileOrFolder(option, (await RemotePath.LocalAsync(option, text[(equals + 1)..], session, cancel))!);
            all.Add(Checked(option, text[..equals], path, architecture));
        }

        GivenNames.RequireDistinct(option, all.Select(one => one.Hook));
        return all;
    }

    private static GivenAutoencoder Checked(string option, string name, string path, ClipArchitecture architecture)
    {
        try
        {
            var hook = HookPoint.Parse(name).CheckedFor(architecture);
            using var sae = ForeignAutoencoder.Load(path);
            var width = hook.Width(architecture);
            return sae.InputWidth == width
                ? new GivenAutoencoder(hook.ToString(), path)
                : throw new WrongUseException($"{option} {name}: the autoencoder takes activations {sae.InputWidth} wide, but {hook} of this model is {width} wide; name the hook point and the model that it was trained at");
        }
        catch (UserErrorException error)
        {
            throw new WrongUseException($"{option} {name}: {error.Message}", error);
        }
    }
}
