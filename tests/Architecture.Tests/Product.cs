namespace ClipSae.Architecture.Tests;

/// <summary>The product's own assemblies, as the build laid them beside the tests.</summary>
internal static class Product
{
    public static IReadOnlyList<string> Assemblies { get; } =
    [
        .. Directory
            .EnumerateFiles(AppContext.BaseDirectory, "*.dll")
            .Where(path => IsOurs(Path.GetFileName(path)))
            .Order(StringComparer.Ordinal),
    ];

    private static bool IsOurs(string file) =>
        file == "clipsae.dll"
        || (file.StartsWith("ClipSae.", StringComparison.Ordinal) && !file.Contains("Tests", StringComparison.Ordinal));
}
