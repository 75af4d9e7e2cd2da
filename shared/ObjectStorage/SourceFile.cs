using ClipSae.Contracts;
using Microsoft.Win32.SafeHandles;

namespace ClipSae.ObjectStorage;

/// <summary>Files that are uploaded.</summary>
internal static class SourceFile
{
    /// <exception cref="UserErrorException">The file is not there or may not be read.</exception>
    public static SafeFileHandle Open(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"cannot read {path} ({error.Message.TrimEnd('.')}): check that the file exists and may be read", error);
        }
    }
}
