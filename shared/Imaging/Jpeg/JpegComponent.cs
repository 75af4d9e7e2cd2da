namespace ClipSae.Imaging.Jpeg;

/// <summary>One colour component of a JPEG frame.</summary>
internal sealed class JpegComponent(int id, int across, int down, int quantization)
{
    public int Id { get; } = id;

    /// <summary>Blocks of this component across a minimum coded unit.</summary>
    public int Across { get; } = across;

    /// <summary>Blocks of this component down a minimum coded unit.</summary>
    public int Down { get; } = down;

    /// <summary>Which quantization table it uses.</summary>
    public int Quantization { get; } = quantization;

    public int DcTable { get; set; }

    public int AcTable { get; set; }

    /// <summary>Samples across, without padding.</summary>
    public int Width { get; set; }

    /// <summary>Samples down, without padding.</summary>
    public int Height { get; set; }

    /// <summary>Bytes of a row in <see cref="Samples"/>: whole blocks.</summary>
    public int Stride { get; set; }

    /// <summary>Where the component's decoded samples are, [padded height, stride].</summary>
    public byte[] Samples { get; set; } = [];

    /// <summary>Prediction of the next block's DC coefficient.</summary>
    public int Dc { get; set; }
}
