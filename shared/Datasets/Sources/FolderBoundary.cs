namespace ClipSae.Datasets;

/// <summary>Turns paths that a caption file names into files of the data set's folder, and nothing outside it, links followed.</summary>
internal sealed class FolderBoundary
{
    private readonly string _root;
    private readonly string _realRoot;
    private readonly Dictionary<string, string> _realFolders = new(StringComparer.Ordinal);

    public FolderBoundary(string folder)
    {
        _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        _realRoot = RealFolder(_root);
    }

    /// <param name="path">As written in the caption file.</param>
    /// <param name="id">The path in one spelling: relative, with forward slashes.</param>
    /// <returns>The file's full path, or null with the problem.</returns>
    public string? Resolve(string path, string where, out string id, out ImportProblem? problem)
    {
        id = path.Replace('\\', '/');
        problem = null;
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            problem = new ImportProblem(ImportProblemKind.BadRow, where, "no path");
            return null;
        }

        var full = Path.GetFullPath(Path.Combine(_root, id));
        if (Path.IsPathRooted(id) || !Inside(full, _root))
        {
            problem = new ImportProblem(ImportProblemKind.OutsideFolder, where, $"{path} leaves the folder");
            return null;
        }

        id = Path.GetRelativePath(_root, full).Replace('\\', '/');
        if (!File.Exists(full))
        {
            problem = new ImportProblem(ImportProblemKind.MissingFile, id, "no such file");
            return null;
        }

        var real = Path.Combine(RealFolder(Path.GetDirectoryName(full)!), Path.GetFileName(full));
        if (new FileInfo(real).ResolveLinkTarget(returnFinalTarget: true) is { } target)
        {
            real = Path.Combine(RealFolder(Path.GetDirectoryName(target.FullName)!), target.Name);
        }

        if (Inside(real, _realRoot))
        {
            return real;
        }

        problem = new ImportProblem(ImportProblemKind.OutsideFolder, where, $"{path} is a link out of the folder");
        return null;
    }

    private static bool Inside(string path, string folder) => path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The folder with every link on its way resolved.</summary>
    private string RealFolder(string folder)
    {
        if (_realFolders.TryGetValue(folder, out var known))
        {
            return known;
        }

        var parent = Path.GetDirectoryName(folder);
        var real = folder;
        if (parent is not null)
        {
            real = Path.Combine(RealFolder(parent), Path.GetFileName(folder));
            if (new DirectoryInfo(real).ResolveLinkTarget(returnFinalTarget: true) is { } target && target.FullName != real)
            {
                real = RealFolder(Path.TrimEndingDirectorySeparator(target.FullName));
            }
        }

        return _realFolders[folder] = real;
    }
}
