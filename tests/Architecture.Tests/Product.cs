using ClipSae.TestKit.Sources;

namespace ClipSae.Architecture.Tests;

/// <summary>The product's own assemblies, as the build laid them beside the tests.</summary>
internal static class Product
{
    public static IReadOnlyList<string> Assemblies { get; } =
    [
        .. new[] { "services", "shared" }
            .SelectMany(Solution.Projects)
            .Select(project => project == "Cli" ? "clipsae.dll" : $"ClipSae.{project}.dll")
            .Select(file => Path.Combine(AppContext.BaseDirectory, file))
            .Order(StringComparer.Ordinal),
    ];
}
