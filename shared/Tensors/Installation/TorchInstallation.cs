using System.Text.RegularExpressions;

namespace ClipSae.Tensors.Installation;

/// <summary>A PyTorch, or an unpacked libtorch, that is on this machine.</summary>
/// <param name="Folder">Its folder, which holds <c>lib</c>.</param>
/// <param name="Version">As it names itself, <c>2.11.0+cu130</c>.</param>
/// <param name="Cuda">Version of CUDA that it was built for, <c>13.0</c>; null for a build without CUDA.</param>
/// <param name="SearchRoots">Folders in which the packages of NVIDIA's libraries may be, <c>nvidia/*/lib</c>.</param>
public sealed partial record TorchInstallation(string Folder, string Version, string? Cuda, IReadOnlyList<string> SearchRoots)
{
    private const int MaxVersionFile = 64 << 10;
    private const string CudaLibrary = "libtorch_cuda.so";

    /// <summary>Folder of its libraries.</summary>
    public string Libraries => Path.Combine(Folder, "lib");

    /// <summary>Every folder in which its libraries and those that they need are looked for.</summary>
    public IReadOnlyList<string> LibraryFolders =>
        [
            Libraries,
            .. SearchRoots
                .Select(root => Path.Combine(root, "nvidia"))
                .Where(Directory.Exists)
                .SelectMany(Directory.EnumerateDirectories)
                .Order(StringComparer.Ordinal)
                .Select(package => Path.Combine(package, "lib"))
                .Where(Directory.Exists)
                .Distinct(StringComparer.Ordinal),
        ];

    /// <summary>
    /// The installation at a path: the package folder <c>torch</c>, its <c>lib</c>, the folder that holds <c>torch</c>, a virtual
    /// environment, or an unpacked libtorch.
    /// </summary>
    /// <param name="path">What the user named.</param>
    /// <param name="searchRoots">Where Python looks for packages; by default the folder that holds the installation.</param>
    /// <exception cref="UserErrorException">There is none, or it cannot be read.</exception>
    public static TorchInstallation At(string path, IEnumerable<string>? searchRoots = null)
    {
        var folder = Candidates(path).FirstOrDefault(IsInstallation)
            ?? throw new UserErrorException(
                $"{path}: no PyTorch there: expected its package folder, "
                    + "the one that python3 -c \"import torch; print(torch.__path__[0])\" prints"
            );
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var (version, cuda) = ReadVersion(folder);
        var parent = Path.GetDirectoryName(folder)!;
        return new TorchInstallation(
            folder,
            version,
            File.Exists(Path.Combine(folder, "lib", CudaLibrary)) ? cuda ?? "of unknown version" : null,
            [.. (searchRoots ?? []).Prepend(parent).Distinct(StringComparer.Ordinal)]
        );
    }

    /// <summary>In words: version, CUDA and place.</summary>
    public override string ToString() => $"PyTorch {Version} ({(Cuda is null ? "without CUDA" : $"CUDA {Cuda}")}) at {Folder}";

    private static IEnumerable<string> Candidates(string path)
    {
        yield return path;
        yield return Path.Combine(path, "torch");
        if (
            Path.GetFileName(Path.TrimEndingDirectorySeparator(path)) == "lib"
            && Path.GetDirectoryName(Path.GetFullPath(Path.TrimEndingDirectorySeparator(path))) is { } parent
        )
        {
            yield return parent;
        }

        var environment = Path.Combine(path, "lib");
        if (File.Exists(Path.Combine(path, "pyvenv.cfg")) && Directory.Exists(environment))
        {
            foreach (var python in Directory.EnumerateDirectories(environment, "python3*").Order(StringComparer.Ordinal))
            {
                yield return Path.Combine(python, "site-packages", "torch");
            }
        }
    }

    private static bool IsInstallation(string folder) =>
        Directory.Exists(folder) && (File.Exists(Path.Combine(folder, "version.py")) || File.Exists(Path.Combine(folder, "build-version")));

    private static (string Version, string? Cuda) ReadVersion(string folder)
    {
        var package = Path.Combine(folder, "version.py");
        if (File.Exists(package))
        {
            var text = Text(package);
            return VersionLine().Match(text) is { Success: true } found
                ? (found.Groups[1].Value, CudaLine().Match(text) is { Success: true } cuda ? cuda.Groups[1].Value : null)
                : throw new UserErrorException($"{package}: names no version");
        }

        var plain = Path.Combine(folder, "build-version");
        var version = Text(plain).Trim();
        return PlainVersion().IsMatch(version)
            ? (version, BuildTag().Match(version) is { Success: true } tag ? $"{tag.Groups[1].Value}.{tag.Groups[2].Value}" : null)
            : throw new UserErrorException($"{plain}: names no version");
    }

    private static string Text(string file)
    {
        try
        {
            return new FileInfo(file).Length <= MaxVersionFile
                ? File.ReadAllText(file)
                : throw new UserErrorException($"{file}: too long for a version");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{file} cannot be read ({error.Message})", error);
        }
    }

    [GeneratedRegex("""^__version__\s*=\s*['"]([0-9][0-9A-Za-z.+_-]{0,60})['"]""", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex VersionLine();

    [GeneratedRegex("""^cuda(?:\s*:[^=\n]*)?\s*=\s*['"]([0-9][0-9.]{0,20})['"]""", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex CudaLine();

    [GeneratedRegex("^[0-9][0-9A-Za-z.+_-]{0,60}$", RegexOptions.CultureInvariant)]
    private static partial Regex PlainVersion();

    [GeneratedRegex(@"\+cu(\d{2})(\d)$", RegexOptions.CultureInvariant)]
    private static partial Regex BuildTag();
}
