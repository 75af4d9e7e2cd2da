namespace ClipSae.Cli.CommandLine;

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

        throw new WrongUseException(
            Directory.Exists(path)
                ? $"{option}: {path} is a folder; name a file"
                : $"{option}: there is no file {path}; check the path (it is taken from {Directory.GetCurrentDirectory()})"
        );
    }

    /// <summary>The full path of a folder that must exist; null stays null.</summary>
    /// <exception cref="WrongUseException">There is no such folder.</exception>
    public static string? Folder(string option, string? path)
    {
        if (path is null || Directory.Exists(path))
        {
            return path is null ? null : Path.GetFullPath(path);
        }

        throw new WrongUseException(
            System.IO.File.Exists(path)
                ? $"{option}: {path} is a file; name a folder"
                : $"{option}: there is no folder {path}; check the path (it is taken from {Directory.GetCurrentDirectory()})"
        );
    }

    /// <summary>The full path of a folder or file that must exist.</summary>
    /// <exception cref="WrongUseException">There is nothing at that path.</exception>
    public static string FileOrFolder(string option, string path) =>
        System.IO.File.Exists(path) || Directory.Exists(path)
            ? Path.GetFullPath(path)
            : throw new WrongUseException(
                $"{option}: there is nothing at {path}; check the path (it is taken from {Directory.GetCurrentDirectory()})"
            );

    /// <summary>The full path of a file to be written, whose folder is made; null stays null.</summary>
    /// <exception cref="WrongUseException">There is a folder of that name, or its folder cannot be made.</exception>
    public static string? NewFile(string option, string? path)
    {
        if (path is null)
        {
            return null;
        }

        if (path.Length == 0 || Directory.Exists(path))
        {
            throw new WrongUseException(
                path.Length == 0 ? $"{option} is empty; name a file" : $"{option}: {path} is a folder; name a file"
            );
        }

        var full = Path.GetFullPath(path);
        NewFolder(option, Path.GetDirectoryName(full));
        return full;
    }

    /// <summary>The full path of a folder to write to, which is made and tried; null stays null.</summary>
    /// <exception cref="WrongUseException">It cannot be made, or takes no file.</exception>
    public static string? NewFolder(string option, string? path)
    {
        if (path is null)
        {
            return null;
        }

        try
        {
            var folder = Directory.CreateDirectory(path).FullName;

            // Hours of work may be between this and the first file.
            using var probe = new FileStream(
                Path.Combine(folder, $".clipsae-{Environment.ProcessId}.tmp"),
                FileMode.Create,
                FileAccess.Write,
                FileShare.None,
                bufferSize: 0,
                FileOptions.DeleteOnClose
            );
            return folder;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new WrongUseException($"{option}: folder '{path}' cannot be written: {error.Message.TrimEnd('.')}; name another", error);
        }
    }
}
