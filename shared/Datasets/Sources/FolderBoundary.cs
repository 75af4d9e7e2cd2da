namespace ClipSae.Datasets.Sources;

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

        // A path from the root may spell the folder as it was given, or as it is with links followed.
        var full = Path.GetFullPath(Path.Combine(_root, id));
        if (
            (
                Inside(full, _root) ? _root
                : Inside(full, _realRoot) ? _realRoot
                : null
            )
            is not { } root
        )
        {
            problem = new ImportProblem(ImportProblemKind.OutsideFolder, where, $"{path} leaves the folder");
            return null;
        }

        id = Path.GetRelativePath(root, full).Replace('\\', '/');
        if (Spelled(root, id) is not { } spelled)
        {
            problem = new ImportProblem(ImportProblemKind.MissingFile, id, "no such file");
            return null;
        }

        id = spelled;
        return Followed(Path.Combine(root, id), id, where, out problem);
    }

    /// <summary>Whether a link to a folder leads to one that it is in, so that following it would never end.</summary>
    public bool LeadsBack(string link)
    {
        try
        {
            // Reached through another link, a folder is in two places; either may be the one that the link leads to.
            string[] places = [RealFolder(Path.GetDirectoryName(link)!), Path.Combine(_realRoot, Path.GetRelativePath(_root, link))];
            return Real(link) is { } target && places.Any(place => place == target || Inside(place, target));
        }
        catch (IOException)
        {
            // Links that lead to each other have no target at all.
            return true;
        }
    }

    // Archives made on a Mac spell accented letters in two code points, lists of captions mostly in one.
    private static string? Spelled(string root, string id) =>
        new[] { id, ComposedText.Of(id), ComposedText.Apart(id) }.FirstOrDefault(spelling => File.Exists(Path.Combine(root, spelling)));

    private string? Followed(string full, string id, string where, out ImportProblem? problem)
    {
        problem = null;
        string real;
        try
        {
            real = Path.Combine(RealFolder(Path.GetDirectoryName(full)!), Path.GetFileName(full));
            real = Real(real) ?? real;
        }
        catch (IOException error)
        {
            problem = new ImportProblem(ImportProblemKind.UnreadableImage, id, $"a link that leads nowhere: {error.Message}");
            return null;
        }

        if (Inside(real, _realRoot))
        {
            return real;
        }

        problem = new ImportProblem(ImportProblemKind.OutsideFolder, where, $"{id} is a link out of the folder");
        return null;
    }

    /// <summary>What a link leads to in the end, every link on the way resolved; null for what is none.</summary>
    private string? Real(string link) =>
        new FileInfo(link).ResolveLinkTarget(returnFinalTarget: true) is { } target
            ? Path.Combine(RealFolder(Path.GetDirectoryName(target.FullName)!), Path.GetFileName(target.FullName))
            : null;

    private static bool Inside(string path, string folder) =>
        path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

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
