namespace ClipSae.Cli.Demo;

/// <summary>The base checkpoint and its vocabulary that come with the program.</summary>
internal static class DemoFiles
{
    /// <exception cref="UserErrorException">The program was copied without its demo files.</exception>
    public static string Model => Find("model.safetensors");

    /// <exception cref="UserErrorException">The program was copied without its demo files.</exception>
    public static string Tokenizer => Find("bpe.txt.gz");

    private static string Find(string name)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Demo", name);
        return File.Exists(path)
            ? path
            : throw new UserErrorException($"the demo's {name} is missing ({path}): build the program again, or copy its whole folder");
    }
}
