using System.Globalization;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Architecture;

/// <summary>
/// A learned vector that joins the vision tower's tokens before one block, so that attention to print has somewhere else to go; the other
/// weights stay as they are. Within a run it is in the checkpoint as <c>visual.null_token.BLOCK</c>; for others it is a small file of its
/// own.
/// </summary>
/// <param name="Block">Block from 0 that sees it first.</param>
/// <param name="Value">float32 [width].</param>
public sealed record NullToken(int Block, torch.Tensor Value) : IDisposable
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "null_token.safetensors";

    /// <summary>What a loader has to do, in the file's header and on the model card.</summary>
    public static string LoaderNote(int block) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"before vision block {block} (from 0), append the vector null_token to the tokens: "
                + $"x = torch.cat([x, null_token.expand(batch, 1, width)], dim=1), batch first; the class token stays the first"
        );

    private const string Tensor = "null_token";
    private const string BlockText = "block";

    /// <summary>Writes the file: one tensor <c>null_token</c> [width], the block and the loader note in the header.</summary>
    public void Save(string path)
    {
        using var scope = torch.NewDisposeScope();
        SafetensorsWriter.Write(
            path,
            new Dictionary<string, torch.Tensor> { [Tensor] = Value.detach().to(torch.float32).cpu() },
            new Dictionary<string, string>
            {
                ["format"] = "pt",
                [BlockText] = FormattableString.Invariant($"{Block}"),
                ["loader"] = LoaderNote(Block),
            }
        );
    }

    /// <summary>Reads the file; the caller owns the value.</summary>
    /// <exception cref="UserErrorException">It is none.</exception>
    public static NullToken Load(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return
            file.Entries.ContainsKey(Tensor)
            && file.Metadata.TryGetValue(BlockText, out var text)
            && int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var block)
            ? new NullToken(block, file.Read(Tensor))
            : throw new UserErrorException(
                $"{path}: is not a null token; such a file has one tensor, {Tensor}, and names the block in its header"
            );
    }

    public void Dispose() => Value.Dispose();
}
