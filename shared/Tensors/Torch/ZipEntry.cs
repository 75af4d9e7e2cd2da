namespace ClipSae.Tensors.Torch;

/// <summary>An entry of a zip archive.</summary>
/// <param name="Name">Its path in the archive.</param>
/// <param name="Offset">First byte of its content in the file.</param>
/// <param name="Length">Bytes of its content; -1 where it is compressed.</param>
/// <param name="Crc">CRC-32 of its content; 0 where the writer left it out, as PyTorch does on request.</param>
/// <param name="IsTight">Whether its headers agree and the next entry follows its content, so that the content cannot be
/// elsewhere.</param>
internal sealed record ZipEntry(string Name, long Offset, long Length, uint Crc, bool IsTight);
