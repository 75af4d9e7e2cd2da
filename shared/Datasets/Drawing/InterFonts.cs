using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;

namespace ClipSae.Datasets.Drawing;

/// <summary>The Inter font files inside the Avalonia.Fonts.Inter assembly, which is carried as data and never loaded.</summary>
internal static class InterFonts
{
    /// <summary>File name without extension ("Inter-Bold") and the font file's bytes.</summary>
    public static IReadOnlyList<(string Name, byte[] File)> Read()
    {
        using var stream = typeof(InterFonts).Assembly.GetManifestResourceStream("Inter")
            ?? throw new InvalidOperationException("This build lacks its Inter fonts.");
        using var assembly = new PEReader(stream);
        var metadata = assembly.GetMetadataReader();
        var handle = metadata.ManifestResources.Single(resource =>
            metadata.GetString(metadata.GetManifestResource(resource).Name) == "!AvaloniaResources"
        );
        var section = assembly.GetSectionData(assembly.PEHeaders.CorHeader!.ResourcesDirectory.RelativeVirtualAddress);
        var resources = section.GetContent(
            (int)metadata.GetManifestResource(handle).Offset,
            section.Length - (int)metadata.GetManifestResource(handle).Offset
        );
        var length = BitConverter.ToInt32(resources.AsSpan());
        return Entries(resources.AsSpan(4, length).ToArray())
            .Where(entry => entry.Name.StartsWith("Inter", StringComparison.Ordinal))
            .ToList();
    }

    /// <summary>Layout: index length, version, entry count, entries of (path, offset, size), then the files.</summary>
    private static List<(string Name, byte[] File)> Entries(byte[] bundle)
    {
        using var reader = new BinaryReader(new MemoryStream(bundle), Encoding.UTF8);
        var files = reader.ReadInt32() + sizeof(int);
        _ = reader.ReadInt32();
        var entries = new List<(string, byte[])>();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var path = reader.ReadString();
            var (offset, size) = (reader.ReadInt32(), reader.ReadInt32());
            entries.Add((Path.GetFileNameWithoutExtension(path), bundle.AsSpan(files + offset, size).ToArray()));
        }

        return entries;
    }
}
