using System.IO.MemoryMappedFiles;
using System.Text;

namespace ClipSae.Tensors.Installation;

/// <summary>
/// What a shared library asks for and offers, read from its file without loading it: 64-bit little-endian ELF with a GNU hash table.
/// </summary>
/// <remarks>ELF gABI 4.1, chapters 4 and 5; GNU hash table as binutils writes it.</remarks>
internal sealed class ElfLibrary : IDisposable
{
    private const int SymbolBytes = 24;
    private const int RelocationBytes = 24;
    private const int MaxNameLength = 64 << 10;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly string _path;
    private readonly List<(ulong Address, ulong Offset, ulong Length)> _segments = [];
    private readonly Dictionary<long, long> _dynamic = [];
    private readonly List<long> _neededNames = [];

    /// <exception cref="UserErrorException">The file is no such library.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public ElfLibrary(string path)
    {
        _path = path;
        if (new FileInfo(path).Length == 0)
        {
            throw NoLibrary();
        }

        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        try
        {
            ReadTables();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Names of the libraries that this one needs, as the linker wrote them.</summary>
    public IReadOnlyList<string> Needed => [.. _neededNames.Select(NameAt)];

    /// <summary>Symbols without a version that other libraries have to bring; weak ones, which may be absent, are left out.</summary>
    /// <returns>Each with whether the library cannot even be loaded without it: functions are looked up at their first call.</returns>
    public IEnumerable<(string Name, bool IsNeededToLoad)> Missing()
    {
        // The hash table covers what is defined; everything before its first symbol is asked for.
        var count = UInt32(Table(DynamicTag.GnuHash) + 4);
        var symbols = Table(DynamicTag.SymbolTable);
        var versions = Table(DynamicTag.SymbolVersions);
        var bound = BoundAtLoad();
        for (uint i = 1; i < count; i++)
        {
            var symbol = symbols + (i * SymbolBytes);
            var binding = Byte(symbol + 4) >> 4;
            var isGlobal = binding == 1;
            if (isGlobal && UInt16(symbol + 6) == 0 && (UInt16(versions + (2 * i)) & 0x7fff) <= 1)
            {
                yield return (NameAt(UInt32(symbol)), bound.Contains(i));
            }
        }
    }

    /// <summary>Whether the library defines a symbol.</summary>
    public bool Defines(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        var hash = 5381u;
        foreach (var b in bytes)
        {
            hash = (hash * 33) + b;
        }

        var table = Table(DynamicTag.GnuHash);
        var (buckets, first, bloomWords) = (UInt32(table), UInt32(table + 4), UInt32(table + 8));
        var bucketsAt = table + 16 + (8L * bloomWords);
        var index = buckets == 0 ? 0 : UInt32(bucketsAt + (4L * (hash % buckets)));
        if (index < first)
        {
            return false;
        }

        var symbols = Table(DynamicTag.SymbolTable);
        for (var chain = bucketsAt + (4L * buckets); ; index++)
        {
            var stored = UInt32(chain + (4L * (index - first)));
            if ((stored | 1) == (hash | 1) && Equals(UInt32(symbols + (index * SymbolBytes)), bytes))
            {
                return UInt16(symbols + (index * SymbolBytes) + 6) != 0;
            }

            if ((stored & 1) != 0)
            {
                return false;
            }
        }
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }

    private void ReadTables()
    {
        if (_view.Capacity < 64 || UInt32(0) != 0x464c457f || Byte(4) != 2 || Byte(5) != 1)
        {
            throw NoLibrary();
        }

        var (headers, size, count) = (Int64(0x20), UInt16(0x36), UInt16(0x38));
        (long Offset, long Length)? dynamic = null;
        for (var i = 0; i < count; i++)
        {
            var header = headers + ((long)i * size);
            switch (UInt32(header))
            {
                case 1: // PT_LOAD
                    _segments.Add(((ulong)Int64(header + 16), (ulong)Int64(header + 8), (ulong)Int64(header + 32)));
                    break;
                case 2: // PT_DYNAMIC
                    dynamic = (Int64(header + 8), Int64(header + 32));
                    break;
            }
        }

        if (dynamic is not { } entries)
        {
            throw new UserErrorException($"{_path}: not a shared library");
        }

        for (var at = entries.Offset; at < entries.Offset + entries.Length; at += 16)
        {
            var (tag, value) = (Int64(at), Int64(at + 8));
            if (tag == DynamicTag.End)
            {
                break;
            }

            if (tag == DynamicTag.Needed)
            {
                _neededNames.Add(value);
            }
            else
            {
                _dynamic[tag] = value;
            }
        }
    }

    private UserErrorException NoLibrary() => new($"{_path}: not a 64-bit ELF library");

    private HashSet<uint> BoundAtLoad()
    {
        var found = new HashSet<uint>();
        if (_dynamic.TryGetValue(DynamicTag.RelocationBytes, out var length))
        {
            var table = Table(DynamicTag.Relocations);
            for (var at = table; at < table + length; at += RelocationBytes)
            {
                found.Add(UInt32(at + 12));
            }
        }

        return found;
    }

    private string NameAt(long offset)
    {
        var start = Table(DynamicTag.Strings) + offset;
        var bytes = new List<byte>();
        for (var b = Byte(start); b != 0 && bytes.Count < MaxNameLength; b = Byte(start + bytes.Count))
        {
            bytes.Add(b);
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private bool Equals(long offset, byte[] name)
    {
        var start = Table(DynamicTag.Strings) + offset;
        for (var i = 0; i < name.Length; i++)
        {
            if (Byte(start + i) != name[i])
            {
                return false;
            }
        }

        return Byte(start + name.Length) == 0;
    }

    /// <summary>Place of a table in the file; the library names it by its address in memory.</summary>
    private long Table(long tag)
    {
        if (_dynamic.TryGetValue(tag, out var address))
        {
            foreach (var (start, offset, length) in _segments)
            {
                if ((ulong)address >= start && (ulong)address - start < length)
                {
                    return (long)((ulong)address - start + offset);
                }
            }
        }

        throw new UserErrorException($"{_path}: has no readable table of symbols");
    }

    private byte Byte(long at) => _view.ReadByte(Bounded(at, 1));

    private ushort UInt16(long at) => _view.ReadUInt16(Bounded(at, 2));

    private uint UInt32(long at) => _view.ReadUInt32(Bounded(at, 4));

    private long Int64(long at) => _view.ReadInt64(Bounded(at, 8));

    private long Bounded(long at, int bytes) =>
        at >= 0 && at <= _view.Capacity - bytes ? at : throw new UserErrorException($"{_path}: ends in the middle of a table");

    private static class DynamicTag
    {
        public const long End = 0;
        public const long Needed = 1;
        public const long Strings = 5;
        public const long SymbolTable = 6;
        public const long Relocations = 7;
        public const long RelocationBytes = 8;
        public const long GnuHash = 0x6ffffef5;
        public const long SymbolVersions = 0x6ffffff0;
    }
}
