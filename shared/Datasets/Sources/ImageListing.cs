using System.IO.Enumeration;
using ClipSae.Imaging.Decoding;

namespace ClipSae.Datasets.Sources;

/// <summary>
/// The pictures below a folder, recognised by their names or, where a name does not say it, by content; and what is among them that is left
/// out: pictures of a kind that is not read, and links that lead back to a folder above them.
/// </summary>
/// <param name="Images">Relative paths with forward slashes, in ordinal order.</param>
/// <param name="LeftOut">In the same order.</param>
public sealed record ImageListing(IReadOnlyList<string> Images, IReadOnlyList<ImportProblem> LeftOut)
{
    private const int MaxDepth = 32;

    private static readonly string[] ImageExtensions = [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"];

    // What commonly is next to pictures and is none; anything else is looked into.
    private static readonly string[] OtherExtensions =
    [
        ".txt",
        ".json",
        ".jsonl",
        ".csv",
        ".tsv",
        ".md",
        ".xml",
        ".yaml",
        ".yml",
        ".npz",
        ".npy",
        ".parquet",
        ".zip",
        ".tar",
        ".gz",
        ".safetensors",
        ".pt",
        ".html",
    ];

    /// <summary>What names of pictures end with, for messages.</summary>
    public static string Extensions => string.Join(", ", ImageExtensions);

    /// <exception cref="UserErrorException">A folder below may not be read.</exception>
    public static ImageListing Of(string folder)
    {
        var (pictures, leftOut) = (new List<string>(), new List<ImportProblem>());
        foreach (var path in Files(folder, leftOut))
        {
            var extension = Path.GetExtension(path);
            if (ImageExtensions.Contains(extension, StringComparer.OrdinalIgnoreCase))
            {
                pictures.Add(path);
            }
            else if (!OtherExtensions.Contains(extension, StringComparer.OrdinalIgnoreCase))
            {
                Look(folder, path, pictures, leftOut);
            }
        }

        return new ImageListing(
            [.. pictures.Order(StringComparer.Ordinal)],
            [.. leftOut.OrderBy(problem => problem.Where, StringComparer.Ordinal)]
        );
    }

    private static void Look(string folder, string path, List<string> pictures, List<ImportProblem> leftOut)
    {
        var full = Path.Combine(folder, path);
        try
        {
            // A pipe or device has no length, and opening it could block for ever.
            if (new FileInfo(full).Length == 0)
            {
                return;
            }

            Span<byte> bytes = stackalloc byte[ImageKind.HeadBytes];
            using var file = File.OpenRead(full);
            var head = bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
            if (ImageKind.IsRead(head))
            {
                pictures.Add(path);
            }
            else if (ImageKind.Unread(head) is not null)
            {
                leftOut.Add(new ImportProblem(ImportProblemKind.UnreadableImage, path, ImageKind.Explain(head)));
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            leftOut.Add(new ImportProblem(ImportProblemKind.UnreadableImage, path, error.Message));
        }
    }

    private static List<string> Files(string folder, List<ImportProblem> leftOut)
    {
        var boundary = new FolderBoundary(folder);
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = MaxDepth,
            IgnoreInaccessible = false,
        };
        string Relative(ref FileSystemEntry entry) => Path.GetRelativePath(folder, entry.ToFullPath()).Replace('\\', '/');
        var files = new FileSystemEnumerable<string>(folder, Relative, options)
        {
            ShouldIncludePredicate = static (ref FileSystemEntry entry) => !entry.IsDirectory,
            ShouldRecursePredicate = (ref FileSystemEntry entry) =>
            {
                if (!entry.Attributes.HasFlag(FileAttributes.ReparsePoint) || !boundary.LeadsBack(entry.ToFullPath()))
                {
                    return true;
                }

                leftOut.Add(new ImportProblem(ImportProblemKind.UnreadableImage, Relative(ref entry), "a link to a folder above it"));
                return false;
            },
        };
        try
        {
            return [.. files];
        }
        catch (UnauthorizedAccessException error)
        {
            throw new UserErrorException(
                $"The data set {folder} cannot be read: {error.Message} Change the permissions of that folder, "
                    + "or remove it from the data set.",
                error
            );
        }
    }
}
