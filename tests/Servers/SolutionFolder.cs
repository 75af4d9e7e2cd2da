namespace ClipSae.Servers;

/// <summary>The folder of the solution, in which the tests were built.</summary>
public static class SolutionFolder
{
    /// <summary>A file or folder in it.</summary>
    public static string At(params string[] parts)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ClipSae.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("the tests lie outside of the solution's folder");
        }

        return Path.Combine([folder.FullName, .. parts]);
    }
}
