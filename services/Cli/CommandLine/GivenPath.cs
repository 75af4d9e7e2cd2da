namespace ClipSae.Cli;

/// <summary>Checks paths that the command line names, before any work begins.</summary>
internal static class GivenPath
{
    /// <summary>The full path of a file that must exist; null stays null.</summary>
    /// <exception cref="WrongUseException">There is no such file.</exception>
    public static string? File(string option, string? path)
    {
        if (path is null || System.IO.File.Exists(path))
        {
            return path is null ? null : Path.GetFullPath(path);
        }

        throw new WrongUseException(Directory.Exists(path)
            ? $"{option}: {path} is a folder; name a file"
            : $"{option}: there is no file {path}; check the path (it is taken from {Directory.GetCurrentDirectory()})");
    }

    /// <summary>The full path of a folder that must exist; null stays null.</summary>
    /// <exception cref="WrongUseException">There is no such folder.</exception>
    public static string? Folder(string option, string? path)
    {
        if (path is null || Directory.Exists(path))
        {
            return path is null ? null : Path.GetFullPath(path);
        }

        throw new WrongUseException(System.IO.File.Exists(path)
            ? $"{option}: {path} is a file; name a folder"
            : $"{option}: there is no folder {path}; check the path (it is taken from {Directory.GetCurrentDirectory()})");
    }

    /// <summary>The full path of a folder or file that must exist.</summary>
    /// <exception cref="WrongUseException">There is nothing at that path.</exception>
    public static string FileOrFolder(string option, string path) =>
        System.IO.File.Exists(path) || Directory.Exists(path)
            ? Path.GetFullPath(path)
            : throw new WrongUseException($"{option}: there is nothing at {path}; check the path (it is taken from {Directory.GetCurrentDirectory()})");
}
