using ClipSae.TestKit.Sources;

namespace ClipSae.Deployment.Tests;

/// <summary>What the image is built from: the programs' sources whole, and nothing that is not theirs.</summary>
public sealed class DockerfileTests
{
    private static IReadOnlyList<string> Ignored { get; } = Lines(".dockerignore");

    private static IReadOnlyList<string> Dockerfile { get; } = Lines("infra/Dockerfile");

    [Fact]
    public void Only_what_is_named_is_sent_to_the_builder() => Ignored[0].ShouldBe("*");

    [Fact]
    public void Everything_a_build_reads_is_sent()
    {
        string[] read =
        [
            "Directory.Build.props",
            "Directory.Packages.props",
            "global.json",
            ".editorconfig",
            "infra/build/BannedSymbols.txt",
            "infra/build/Natives.targets",
            "services/Cli/ClipSae.Cli.csproj",
            "shared/Tensors/ClipSae.Tensors.csproj",
        ];

        read.ShouldAllBe(file => File.Exists(Path.Combine(Solution.Root, file)));
        read.ShouldAllBe(file => IsSent(file));
    }

    [Theory]
    [InlineData(".env")]
    [InlineData(".git/HEAD")]
    [InlineData("clipsae-data/runs")]
    [InlineData("world/train/captions.json")]
    [InlineData("ViT-L-14.safetensors")]
    [InlineData("tests/Clip.Tests/Reference/landscape.png")]
    [InlineData("README.md")]
    public void Nothing_else_is_sent(string path) => IsSent(path).ShouldBeFalse();

    [Fact]
    public void Build_outputs_of_this_machine_stay_here() => Ignored.ShouldContain(line => line == "**/bin" || line == "**/obj", 2);

    [Fact]
    public void Nothing_but_base_images_is_fetched_to_read_it() =>
        Dockerfile.ShouldAllBe(line =>
            !line.StartsWith("# syntax", StringComparison.Ordinal) && !line.StartsWith("COPY --parents", StringComparison.Ordinal)
        );

    [Fact]
    public void Every_backend_of_libtorch_is_a_base()
    {
        var stages = Dockerfile.Where(line => line.StartsWith("FROM ", StringComparison.Ordinal)).Select(line => line.Split(' ')).ToArray();

        stages.Select(stage => stage[^1]).ShouldContain("cpu");
        stages.Select(stage => stage[^1]).ShouldContain("cuda");
        stages.Select(stage => stage[^1]).ShouldContain("pytorch");
        stages[^1].ShouldBe(["FROM", "${TORCH_BACKEND}"]);
    }

    /// <summary>By the patterns in use here: names from the root, of which the first part may hold <c>*</c>.</summary>
    private static bool IsSent(string path) =>
        Ignored
            .Where(line => line.StartsWith('!'))
            .Select(line => line[1..])
            .Any(pattern =>
                path == pattern
                || path.StartsWith(pattern + "/", StringComparison.Ordinal)
                || (pattern.StartsWith('*') && !path.Contains('/') && path.EndsWith(pattern[1..], StringComparison.Ordinal))
            );

    private static string[] Lines(string file) =>
        [
            .. File.ReadAllLines(Path.Combine(Solution.Root, file))
                .Where(line => line.Length > 0 && (!line.StartsWith('#') || line.StartsWith("# syntax", StringComparison.Ordinal))),
        ];
}
