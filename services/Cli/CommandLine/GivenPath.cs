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

    /// <summary>The full path of a file to be written, whose folder is made; null stays null.</summary>
    /// <exception cref="WrongUseException">There is a folder of that name, or its folder cannot be made.</exception>
    public static string? NewFile(string option, string? path)
    {
        if (path is null)
        {
            return null;
        }

        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new WrongUseException($"{option}: {path} is a folder; name a file");
        }

        NewFolder(option, Path.GetDirectoryName(full));
        return full;
    }

    /// <summary>The full path of a folder to write to, which is made; null stays null.</summary>
    /// <exception cref="WrongUseException">It cannot be made.</exception>
    public static string? NewFolder(string option, string? path)
    {
        try
        {
            return path is null ? null : Directory.CreateDirectory(path).FullName;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WrongUseException($"{option}: folder {path} cannot be made: {error.Message.TrimEnd('.')}", error);
        }
    }
}
