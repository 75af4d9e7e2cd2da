using System.Runtime.Versioning;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

/// <summary>
/// A PyTorch of the machine in place of the libtorch that comes along, by real processes; a folder laid out as pip does stands in for it.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class InstalledTorchTests : IDisposable
{
    private static readonly string Included = Path.Combine(AppContext.BaseDirectory, "libtorch");
    private readonly TemporaryFolder _folder = new();

    public InstalledTorchTests()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("another PyTorch can be taken on Linux alone");
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_one_that_is_named_computes()
    {
        var package = Make("2.11.0+cpu");

        var result = await Command.RunAsync(["doctor", "--torch", _folder.Path, "--data", _folder.File("data")]);

        result.Code.ShouldBe(0, result.Error);
        result.Out.ShouldContain($"loads and computes (of PyTorch 2.11.0+cpu (without CUDA) at {package})");
    }

    [Fact]
    public async Task Its_libraries_are_loaded_and_those_that_come_along_are_not()
    {
        var package = Make("2.11.0+cpu");

        var result = await Command.RunAsync(
            ["doctor", "--data", _folder.File("data")],
            environment: new Dictionary<string, string> { ["CLIPSAE_TORCH"] = package, ["LD_DEBUG"] = "files" }
        );

        Mapped(result.Error).ShouldBe([Path.Combine(package, "lib", "libtorch_cpu.so")]);
    }

    [Fact]
    public async Task Without_a_word_the_one_that_comes_along_computes_and_no_Python_is_started()
    {
        var trap = Python("touch \"$0.was-started\"; exit 1");

        var result = await Command.RunAsync(
            ["make-dataset", _folder.File("world"), "--train", "4", "--tuning", "4", "--evaluation", "4"],
            environment: OnPath(trap)
        );
        var embedded = await Command.RunAsync(
            [
                "embed",
                "--model",
                Path.Combine(AppContext.BaseDirectory, "Demo", "model.safetensors"),
                "--json",
                .. Directory.EnumerateFiles(_folder.File("world"), "*.png", SearchOption.AllDirectories).Take(1),
            ],
            environment: new Dictionary<string, string>(OnPath(trap)) { ["LD_DEBUG"] = "files" }
        );

        result.Code.ShouldBe(0, result.Error);
        Mapped(embedded.Error).ShouldBe([Path.Combine(Included, "libtorch_cpu.so")]);
        File.Exists(trap + ".was-started").ShouldBeFalse();
    }

    [Fact]
    public async Task For_a_card_the_one_of_python3_is_looked_at_and_one_without_CUDA_is_told()
    {
        var package = Make("2.11.0+cpu");
        var python = Python($"echo {package}/__init__.py; echo {_folder.Path}");

        var result = await Command.RunAsync(
            ["doctor", "--device", "cuda:4711", "--data", _folder.File("data")],
            environment: OnPath(python)
        );

        result.Code.ShouldBe(1);
        result.Out.ShouldContain($"{package}: PyTorch 2.11.0+cpu is built without CUDA");
        result.Out.ShouldContain("device 'cuda:4711' is not available");
    }

    [Theory]
    [InlineData("echo trouble >&2; exit 3", "python3 fails: trouble")]
    [InlineData("echo", "python3 has no PyTorch")]
    [InlineData("echo /nowhere/torch/__init__.py", "/nowhere/torch: no PyTorch there")]
    public async Task A_Python_that_does_not_help_is_told(string script, string told)
    {
        var result = await Command.RunAsync(["doctor", "--data", _folder.File("data")], environment: OnPath(Python(script)));

        result.Code.ShouldBe(0, result.Error);
        result.Out.ShouldContain(told);
    }

    [Fact]
    public async Task One_that_does_not_fit_is_one_line()
    {
        var package = Make("1.13.0");
        File.Delete(Path.Combine(package, "lib", "libtorch_cpu.so"));
        File.CreateSymbolicLink(Path.Combine(package, "lib", "libtorch_cpu.so"), Path.Combine(Included, "libc10.so"));

        var result = await Command.RunAsync([
            "embed",
            "--torch",
            package,
            "--model",
            Path.Combine(AppContext.BaseDirectory, "Demo", "model.safetensors"),
            Path.Combine(AppContext.BaseDirectory, "Demo", "model.safetensors"),
        ]);

        result.ShouldRefuse(2, "PyTorch 1.13.0 does not fit", "made for 2.10", "install PyTorch 2.10 or 2.11");
    }

    private static string[] Mapped(string log) =>
        [
            .. log.Split('\n')
                .Where(line =>
                    line.Contains("calling init: ", StringComparison.Ordinal)
                    && line.TrimEnd().EndsWith("libtorch_cpu.so", StringComparison.Ordinal)
                )
                .Select(line => line[(line.IndexOf("init: ", StringComparison.Ordinal) + 6)..].TrimEnd())
                .Distinct(StringComparer.Ordinal),
        ];

    private static Dictionary<string, string> OnPath(string python) =>
        new() { ["PATH"] = $"{Path.GetDirectoryName(python)}:{Environment.GetEnvironmentVariable("PATH")}" };

    private string Python(string script)
    {
        var file = Path.Combine(Directory.CreateDirectory(_folder.File("bin")).FullName, "python3");
        File.WriteAllText(file, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        return file;
    }

    private string Make(string version)
    {
        var package = Directory.CreateDirectory(_folder.File("torch")).FullName;
        File.WriteAllText(Path.Combine(package, "version.py"), $"__version__ = '{version}'\ncuda = None\n");
        Directory.CreateDirectory(Path.Combine(package, "lib"));
        foreach (var library in Directory.EnumerateFiles(Included))
        {
            // Links to a file are one library to the loader: these are copies.
            File.Copy(library, Path.Combine(package, "lib", Path.GetFileName(library)));
        }

        return package;
    }
}
