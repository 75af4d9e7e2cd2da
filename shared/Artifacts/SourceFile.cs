using Microsoft.Win32.SafeHandles;

namespace ClipSae.Artifacts;

/// <summary>Files that are brought into a store.</summary>
public static class SourceFile
{
    /// <summary>Opens the file to be read from its beginning to its end; nobody may write to it meanwhile.</summary>
    /// <exception cref="UserErrorException">The file is not there or may not be read.</exception>
    public static SafeFileHandle Open(string path, FileAccess access = FileAccess.Read)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, access, FileShare.Read, FileOptions.SequentialScan);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new UserErrorException(
                $"cannot read {path} ({error.Message.TrimEnd('.')}): check that the file exists and is readable",
                error
            );
        }
    }
}
