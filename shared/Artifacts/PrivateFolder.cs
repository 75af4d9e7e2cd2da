namespace ClipSae.Artifacts;

/// <summary>Folders that their owner alone can enter, whatever is in them.</summary>
public static class PrivateFolder
{
    /// <summary>Makes the folder where it is missing; one that is there keeps its rights.</summary>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
