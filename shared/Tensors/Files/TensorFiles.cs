using ClipSae.Tensors.Torch;

namespace ClipSae.Tensors.Files;

/// <summary>Opens files of tensors by what they begin with, whatever they are called.</summary>
public static class TensorFiles
{
    private const int PrefixLength = 9;

    /// <param name="path">A safetensors file, or one that <c>torch.save</c> or <c>torch.jit.save</c> wrote.</param>
    /// <param name="name">What to call it in errors; the path when null.</param>
    /// <exception cref="UserErrorException">The file is unreadable, of another format, truncated or contradicts itself.</exception>
    public static ITensorFile Open(string path, string? name = null)
    {
        byte[] start;
        try
        {
            start = ForeignFile.Start(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{name ?? path}: cannot be read: {failure.Message}");
        }

        if (TorchFile.IsLike(start))
        {
            return TorchFile.Open(path, name);
        }

        // Eight bytes of length, then JSON.
        return start.Length >= PrefixLength && start[PrefixLength - 1] == (byte)'{'
            ? SafetensorsFile.Open(path, name)
            : throw new UserErrorException(
                ForeignFile.Recognise(start) is { } foreign
                    ? $"{name ?? path}: {foreign} (byte 0)"
                    : $"{name ?? path}: neither safetensors nor a file of PyTorch, by its first bytes; "
                        + "download it again, or use the file with the weights"
            );
    }
}
