using ClipSae.Tensors.Installation;
using ClipSae.TestKit.Files;

namespace ClipSae.Tensors.Tests.Installation;

public sealed class TorchFitTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TorchFitTests()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("another PyTorch can be taken on Linux alone");
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("2.10.0+cpu")]
    [InlineData("2.11.0")]
    [InlineData("2.13.1+cu140")] // untried, but nothing is missing
    public void A_version_with_every_function_fits(string version)
    {
        var fit = Of(TorchFolder.Make(_folder.Path, version));

        fit.Problem.ShouldBeNull();
        fit.Missing.ShouldBeEmpty();
    }

    [Fact]
    public void A_version_without_them_is_one_line_that_names_both()
    {
        var package = Other("1.13.0a0");

        Of(package)
            .Problem!.ShouldMatch(
                @"^.*/torch: PyTorch 1\.13\.0a0 does not fit: it lacks \d+ functions that this program, made for 2\.10, calls; "
                    + @"install PyTorch 2\.10 or 2\.11$"
            );
    }

    [Fact]
    public void Where_the_binding_could_not_be_loaded_a_known_version_does_not_fit_either() =>
        Of(Other("2.11.0")).Problem!.ShouldContain("does not fit");

    [Fact]
    public void A_package_without_libraries_is_one_line()
    {
        var package = TorchFolder.Make(_folder.Path, "2.11.0");
        File.Delete(Path.Combine(package, "lib", "libtorch_cpu.so"));

        Of(package).Problem!.ShouldContain("has no libtorch_cpu.so");
    }

    [Fact]
    public void A_library_that_is_none_is_one_line()
    {
        var package = TorchFolder.Make(_folder.Path, "2.11.0");
        File.Delete(Path.Combine(package, "lib", "libc10.so"));
        File.WriteAllText(Path.Combine(package, "lib", "libc10.so"), "version https://git-lfs.github.com/spec/v1");

        Of(package).Problem!.ShouldContain("not a 64-bit ELF library");
    }

    private static TorchFit Of(string package) => TorchFit.Of(TorchInstallation.At(package), TorchFolder.Binding);

    // libc10 in place of libtorch_cpu: a library, but not with these functions.
    private string Other(string version)
    {
        var package = TorchFolder.Make(_folder.Path, version);
        var library = Path.Combine(package, "lib", "libtorch_cpu.so");
        File.Delete(library);
        File.CreateSymbolicLink(library, Path.Combine(TorchFolder.Included, "libc10.so"));
        return package;
    }
}
