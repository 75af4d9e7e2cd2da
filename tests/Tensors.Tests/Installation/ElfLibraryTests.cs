using ClipSae.Tensors.Installation;
using ClipSae.TestKit.Files;

namespace ClipSae.Tensors.Tests.Installation;

public sealed class ElfLibraryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tells_what_a_library_needs_and_defines()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("libraries have another form on this system");
        }

        using var library = new ElfLibrary(Path.Combine(TorchFolder.Included, "libc10.so"));

        library.Needed.ShouldContain("libstdc++.so.6");
        library.Defines("_ZN3c1011initLoggingEv").ShouldBeTrue();
        library.Defines("malloc").ShouldBeFalse(); // asked for, not defined
        library.Defines("no_such_symbol").ShouldBeFalse();
    }

    [Fact]
    public void Tells_what_a_library_asks_of_others()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("libraries have another form on this system");
        }

        using var library = new ElfLibrary(TorchFolder.Binding);
        var missing = library.Missing().ToDictionary(symbol => symbol.Name, symbol => symbol.IsNeededToLoad);

        missing.Count.ShouldBeGreaterThan(1000);
        missing.Keys.ShouldContain(name => name.StartsWith("_ZN2at", StringComparison.Ordinal));
        missing.Keys.ShouldNotContain("malloc"); // of the C library, which versions its symbols
        missing.Values.ShouldContain(true);
        missing.Values.ShouldContain(false);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(700)]
    [InlineData(200_000)]
    public void A_torn_file_is_one_line(int length)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("libraries have another form on this system");
        }

        var torn = _folder.File("torn.so");
        File.WriteAllBytes(torn, File.ReadAllBytes(Path.Combine(TorchFolder.Included, "libc10.so"))[..length]);

        Should
            .Throw<UserErrorException>(() =>
            {
                using var library = new ElfLibrary(torn);
                library.Defines("_ZN3c1011initLoggingEv").ToString();
                library.Missing().Count().ToString();
            })
            .Message.ShouldStartWith(torn);
    }

    [Fact]
    public void A_text_is_one_line()
    {
        var text = _folder.File("text.so");
        File.WriteAllText(text, new string('x', 1000));

        Should.Throw<UserErrorException>(() => new ElfLibrary(text)).Message.ShouldBe($"{text}: not a 64-bit ELF library");
    }
}
