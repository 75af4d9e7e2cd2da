namespace ClipSae.Artifacts;

/// <summary>Turns what the operating system says about a disk into the one line that shows a user what to do.</summary>
public static class DiskErrors
{
    // errno ENOSPC and EDQUOT on Unix; ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL as HRESULTs on Windows.
    private static readonly int[] FullDisk = [28, 122, unchecked((int)0x80070070), unchecked((int)0x80070027)];

    // errno EROFS on Unix; ERROR_WRITE_PROTECT as HRESULT on Windows.
    private static readonly int[] ReadOnly = [30, unchecked((int)0x80070013)];

    // errno EIO, EMFILE and ENFILE on Unix; ERROR_CRC, ERROR_IO_DEVICE and ERROR_TOO_MANY_OPEN_FILES as HRESULTs on Windows.
    private static readonly int[] Machine = [5, 24, 23, unchecked((int)0x80070017), unchecked((int)0x8007045D), unchecked((int)0x80070004)];

    /// <summary>Whether a disk refuses for a reason that no waiting fixes: it is full, or takes no writing at all.</summary>
    public static bool IsLasting(Exception error) => IsFull(error) || IsReadOnly(error);

    /// <summary>
    /// Whether it is the machine that refuses, whatever the file: its disk is full, takes no writing or is damaged, or no file can be
    /// opened any more.
    /// </summary>
    public static bool IsOfMachine(Exception error) =>
        IsLasting(error) || error is UnauthorizedAccessException || (error is IOException && Machine.Contains(error.HResult));

    // A file that is made with its length at once: .NET then gives no errno, and says it in words ("with allocation size").
    private const string Allocation = "allocation size";

    // .NET reports EFBIG, a write over the process's file size limit, as a bad argument named "value".
    private static bool IsFull(Exception error) =>
        (error is IOException && (FullDisk.Contains(error.HResult) || error.Message.Contains(Allocation, StringComparison.Ordinal)))
        || error is ArgumentOutOfRangeException { ParamName: "value" };

    private static bool IsReadOnly(Exception error) => error is IOException && ReadOnly.Contains(error.HResult);

    /// <summary>
    /// Runs an action that writes to <paramref name="path"/>; a full or forbidden disk becomes a <see cref="UserErrorException"/>.
    /// </summary>
    /// <param name="needed">Bytes that are being written, where known; named in the message.</param>
    public static async Task<T> GuardAsync<T>(string path, long? needed, Func<Task<T>> write)
    {
        try
        {
            return await write();
        }
        catch (Exception error) when (Explain(error, path, needed) is { } explained)
        {
            throw explained;
        }
    }

    /// <inheritdoc cref="GuardAsync{T}"/>
    public static T Guard<T>(string path, long? needed, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception error) when (Explain(error, path, needed) is { } explained)
        {
            throw explained;
        }
    }

    /// <inheritdoc cref="GuardAsync{T}"/>
    public static void Guard(string path, long? needed, Action write) => Guard(path, needed, () =>
        {
            write();
            return true;
        });

    /// <summary>
    /// The user's line for a full disk, a forbidden folder or one that takes no writing, or null where the error is another one.
    /// </summary>
    public static UserErrorException? Explain(Exception error, string path, long? needed = null)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? path;
        if (IsFull(error))
        {
            var need = needed is { } bytes ? $" ({Mebibytes(bytes)} needed, {Free(folder)} free)" : $" ({Free(folder)} free)";
            return new UserErrorException(
                $"disk full while writing {path}{need}: free some space in {folder}, then run the command again to continue",
                error
            );
        }

        if (IsReadOnly(error))
        {
            return new UserErrorException(
                $"{path} is on a file system that is mounted read-only: choose another folder, or remount it for writing",
                error
            );
        }

        return error is UnauthorizedAccessException
            ? new UserErrorException($"no permission to write {path}: change the permissions of {folder} or choose another folder", error)
            : null;
    }

    private static string Free(string folder)
    {
        try
        {
            return Mebibytes(new DriveInfo(folder).AvailableFreeSpace);
        }
        catch (Exception error) when (error is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return "an unknown amount";
        }
    }

    private static string Mebibytes(long bytes) => FormattableString.Invariant($"{bytes / 1048576.0:0.0} MiB");
}
