using System.Runtime.InteropServices;

namespace ClipSae.Artifacts;

/// <summary>Files that readers see whole or not at all, at any moment and after a crash.</summary>
public static partial class AtomicFile
{
    private const int FileExists = 17; // errno EEXIST
    private static long _serial;

    /// <summary>Writes the file, replacing an earlier one.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = WriteTemporary(path, content);
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Writes the file only where none has this name. Of several writers that race, one gets true.</summary>
    public static bool TryCreate(string path, ReadOnlySpan<byte> content)
    {
        if (File.Exists(path))
        {
            return false;
        }

        var temporary = WriteTemporary(path, content);
        return TryPublish(temporary, path);
    }

    /// <summary>Gives a finished temporary file its name, only where none has it yet; the temporary name is gone afterwards.</summary>
    public static bool TryPublish(string temporary, string path)
    {
        try
        {
            return OperatingSystem.IsWindows() ? TryMove(temporary, path) : TryLink(temporary, path);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>A name next to <paramref name="path"/> that no other writer uses.</summary>
    public static string TemporaryFor(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        return Path.Combine(
            folder,
            $".{Path.GetFileName(path)}.{Environment.ProcessId}-{Interlocked.Increment(ref _serial)}-{Guid.NewGuid():N}.tmp"
        );
    }

    /// <summary>Whether a name is one that <see cref="TemporaryFor"/> gave.</summary>
    public static bool IsTemporary(string path) =>
        Path.GetFileName(path) is ['.', ..] name && name.EndsWith(".tmp", StringComparison.Ordinal);

    private static string WriteTemporary(string path, ReadOnlySpan<byte> content)
    {
        var temporary = TemporaryFor(path);
        try
        {
            using var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            stream.Write(content);
            stream.Flush(flushToDisk: true);
            return temporary;
        }
        catch (Exception error)
        {
            File.Delete(temporary);
            if (DiskErrors.Explain(error, path, content.Length) is { } explained)
            {
                throw explained;
            }

            throw;
        }
    }

    // link(2) fails where the name exists, atomically; rename(2) would replace it.
    private static bool TryLink(string temporary, string path)
    {
        if (Link(temporary, path) == 0)
        {
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        if (errno == FileExists)
        {
            return false;
        }

        var error = new IOException($"cannot create {path}: {Marshal.GetPInvokeErrorMessage(errno)}", errno);
        throw (Exception?)DiskErrors.Explain(error, path) ?? error;
    }

    private static bool TryMove(string temporary, string path)
    {
        try
        {
            File.Move(temporary, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string created);
}
