namespace ClipSae.Tensors.Installation;

/// <summary>
/// Whether the binding, which is compiled for one libtorch, can work with that of an installation. Both are read, neither is loaded.
/// </summary>
/// <param name="Missing">Functions that the binding knows and the installation lacks.</param>
/// <param name="Problem">Why it cannot be loaded; null where it can.</param>
internal sealed record TorchFit(IReadOnlyList<string> Missing, string? Problem)
{
    /// <summary>The libtorch that the binding is compiled for.</summary>
    public const string BindingVersion = "2.10";

    // A function of these versions that is missing is one that ClipSae does not call: its tests pass on them.
    private static readonly string[] Tried = [BindingVersion, "2.11"];
    private static readonly string[] Offering = ["libtorch_cpu.so", "libc10.so"];

    /// <param name="installation">What would be loaded.</param>
    /// <param name="binding">File of the binding, <c>libLibTorchSharp.so</c>.</param>
    public static TorchFit Of(TorchInstallation installation, string binding)
    {
        try
        {
            var files = Offering.Select(name => Path.Combine(installation.Libraries, name)).ToArray();
            if (files.FirstOrDefault(file => !File.Exists(file)) is { } absent)
            {
                return new TorchFit(
                    [],
                    $"{installation.Folder}: PyTorch {installation.Version} has no {Path.GetFileName(absent)} in its folder lib; "
                        + $"use a PyTorch installed with pip, {Wanted}"
                );
            }

            using var asking = new ElfLibrary(binding);
            using var first = new ElfLibrary(files[0]);
            using var second = new ElfLibrary(files[1]);
            var missing = asking.Missing().Where(symbol => !first.Defines(symbol.Name) && !second.Defines(symbol.Name)).ToArray();
            var isTried = Tried.Any(version => installation.Version.StartsWith(version + ".", StringComparison.Ordinal));
            return missing.Any(symbol => symbol.IsNeededToLoad || !isTried)
                ? new TorchFit(
                    [],
                    $"{installation.Folder}: PyTorch {installation.Version} does not fit: "
                        + $"it lacks {missing.Length} functions that this program, made for {BindingVersion}, calls; install {Wanted}"
                )
                : new TorchFit([.. missing.Select(symbol => symbol.Name)], null);
        }
        catch (UserErrorException error)
        {
            return new TorchFit([], error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new TorchFit([], $"{installation.Folder} cannot be read ({error.Message})");
        }
    }

    private static string Wanted => $"PyTorch {string.Join(" or ", Tried)}";
}
