namespace ClipSae.Imaging.Jpeg;

/// <summary>The entropy-coded part of a JPEG file without its stuffed zeros, cut at restart markers.</summary>
internal sealed class JpegEntropyData
{
    /// <summary>More than the widest unit of ten blocks can consume, so that reading past a damaged end stays within the buffer.</summary>
    private const int Slack = 8192;

    private readonly List<(int Start, int End)> _segments = [];
    private byte[] _data = [];

    public ReadOnlySpan<byte> Data => _data;

    public IReadOnlyList<(int Start, int End)> Segments => _segments;

    /// <returns>False where the scan is cut off or holds anything but entropy-coded data and restart markers in order.</returns>
    public bool Read(ReadOnlySpan<byte> scan)
    {
        if (_data.Length < scan.Length + Slack)
        {
            _data = new byte[scan.Length + scan.Length / 4 + Slack];
        }

        _segments.Clear();
        var (start, length) = (0, 0);
        while (true)
        {
            var stop = scan.IndexOf((byte)0xFF);
            if (stop < 0 || stop + 1 >= scan.Length)
            {
                return false;
            }

            scan[..stop].CopyTo(_data.AsSpan(length));
            length += stop;
            var marker = scan[stop + 1];
            scan = scan[(stop + 2)..];
            if (marker == 0)
            {
                _data[length++] = 0xFF;
                continue;
            }

            _segments.Add((start, length));
            start = length;
            if (marker == 0xD9)
            {
                _data.AsSpan(length, Slack).Clear();
                return true;
            }

            if (marker != 0xD0 + (_segments.Count - 1) % 8)
            {
                return false;
            }
        }
    }
}
