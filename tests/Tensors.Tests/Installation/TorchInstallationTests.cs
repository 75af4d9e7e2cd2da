using ClipSae.Tensors.Installation;
using ClipSae.TestKit.Files;

namespace ClipSae.Tensors.Tests.Installation;

public sealed class TorchInstallationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("torch")]
    [InlineData("torch/")]
    [InlineData("torch/lib")]
    [InlineData("torch/lib/")]
    [InlineData(".")]
    public void Is_found_by_its_folder_its_libraries_and_the_folder_that_holds_it(string named)
    {
        var package = TorchFolder.Make(_folder.Path, "2.11.0+cpu");

        var found = TorchInstallation.At(_folder.File(named));

        (found.Folder, found.Version, found.Cuda).ShouldBe((package, "2.11.0+cpu", null));
        found.LibraryFolders.ShouldBe([_folder.File("torch", "lib")]);
    }

    [Fact]
    public void Is_found_by_its_virtual_environment()
    {
        Directory.CreateDirectory(_folder.File("lib", "python3.12", "site-packages"));
        File.WriteAllText(_folder.File("pyvenv.cfg"), "home = /usr/bin");
        var package = TorchFolder.Make(_folder.File("lib", "python3.12", "site-packages"), "2.10.0");

        TorchInstallation.At(_folder.Path).Folder.ShouldBe(package);
    }

    [Fact]
    public void Cuda_is_what_its_libraries_say_and_the_version_what_the_package_says()
    {
        var package = TorchFolder.Make(_folder.Path, "2.11.0+cu130", "'13.0'");

        TorchInstallation.At(package).Cuda.ShouldBeNull();
        File.WriteAllBytes(Path.Combine(package, "lib", "libtorch_cuda.so"), []);
        TorchInstallation.At(package).Cuda.ShouldBe("13.0");
    }

    [Fact]
    public void Libraries_of_the_packages_beside_it_and_on_the_path_of_Python_belong_to_it()
    {
        var package = TorchFolder.Make(_folder.File("a"), "2.11.0+cu130", "'13.0'");
        Directory.CreateDirectory(_folder.File("a", "nvidia", "cudnn", "lib"));
        Directory.CreateDirectory(_folder.File("b", "nvidia", "cu13", "lib"));
        Directory.CreateDirectory(_folder.File("b", "nvidia", "empty"));

        TorchInstallation
            .At(package, [_folder.File("a"), _folder.File("b"), _folder.File("absent")])
            .LibraryFolders.ShouldBe([
                Path.Combine(package, "lib"),
                _folder.File("a", "nvidia", "cudnn", "lib"),
                _folder.File("b", "nvidia", "cu13", "lib"),
            ]);
    }

    [Fact]
    public void An_unpacked_libtorch_is_one_too()
    {
        Directory.CreateDirectory(_folder.File("libtorch", "lib"));
        File.WriteAllText(_folder.File("libtorch", "build-version"), "2.10.0+cu128\n");
        File.WriteAllBytes(_folder.File("libtorch", "lib", "libtorch_cuda.so"), []);

        var found = TorchInstallation.At(_folder.File("libtorch"));

        (found.Version, found.Cuda).ShouldBe(("2.10.0+cu128", "12.8"));
    }

    [Theory]
    [InlineData("nothing of the kind")]
    [InlineData("__version__ = None")]
    [InlineData("__version__ = '; import os'")]
    public void A_package_that_names_no_version_is_one_line(string text)
    {
        var package = TorchFolder.Make(_folder.Path, "2.11.0");
        File.WriteAllText(Path.Combine(package, "version.py"), text);

        Should.Throw<UserErrorException>(() => TorchInstallation.At(package)).Message.ShouldBe($"{package}/version.py: names no version");
    }

    [Fact]
    public void A_version_that_never_ends_is_not_read()
    {
        var package = TorchFolder.Make(_folder.Path, "2.11.0");
        File.WriteAllBytes(Path.Combine(package, "version.py"), new byte[1 << 20]);

        Should.Throw<UserErrorException>(() => TorchInstallation.At(package)).Message.ShouldContain("too long");
    }

    [Fact]
    public void A_folder_without_one_is_one_line() =>
        Should
            .Throw<UserErrorException>(() => TorchInstallation.At(_folder.Path))
            .Message.ShouldStartWith($"{_folder.Path}: no PyTorch there");
}
