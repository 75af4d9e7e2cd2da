namespace ClipSae.Tensors.Tests.Installation;

/// <summary>A folder laid out as pip lays out PyTorch, with the libraries that come along with these tests.</summary>
internal static class TorchFolder
{
    public static string Included { get; } = Path.Combine(AppContext.BaseDirectory, "libtorch");

    public static string Binding { get; } = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");

    /// <summary>Makes the package folder in a site-packages folder.</summary>
    /// <param name="site">Where.</param>
    /// <param name="version">As <c>version.py</c> names it.</param>
    /// <param name="cuda">What it says of CUDA, in Python.</param>
    public static string Make(string site, string version, string cuda = "None")
    {
        var package = Directory.CreateDirectory(Path.Combine(site, "torch")).FullName;
        Directory.CreateDirectory(Path.Combine(package, "lib"));
        File.WriteAllText(
            Path.Combine(package, "version.py"),
            $"from typing import Optional\n\n__version__ = '{version}'\ndebug = False\ncuda: "
                + $"Optional[str] = {cuda}\ngit_version = 'abc'\nhip: Optional[str] = None\n"
        );
        foreach (var library in Directory.EnumerateFiles(Included))
        {
            File.CreateSymbolicLink(Path.Combine(package, "lib", Path.GetFileName(library)), library);
        }

        return package;
    }
}
