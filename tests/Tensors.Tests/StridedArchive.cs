using System.Globalization;
using System.IO.Hashing;
using System.Text;
using ClipSae.Tensors.Torch;

namespace ClipSae.Tensors.Tests;

/// <summary>A file of <c>torch.save</c> whose float32 tensors are views of one storage, as Python's pickle writes it.</summary>
internal static class StridedArchive
{
    private const string Key = "0";

    /// <summary>A view of the storage, in elements.</summary>
    public sealed record View(string Name, long Offset, long[] Shape, long[] Strides);

    public static void WriteZip(string path, float[] storage, params View[] views)
    {
        using var stream = File.Create(path);
        var zip = new StoredZip(stream);
        foreach (
            var (name, content) in new[]
            {
                ("data.pkl", Pickle(storage, views, isLegacy: false)),
                ("byteorder", "little"u8.ToArray()),
                ("data/" + Key, Bytes(storage)),
            }
        )
        {
            zip.Begin("archive/" + name, Crc32.HashToUInt32(content), content.Length);
            zip.Append(content);
        }

        zip.End();
    }

    public static void WriteLegacy(string path, float[] storage, params View[] views)
    {
        using var stream = File.Create(path);
        // Magic number and protocol of torch.serialization, then what the system is like, the state dict, and the keys of the storages.
        stream.Write(
            Latin1(
                "\u0080\u0002\u008a\u000a\u006c\u00fc\u009c\u0046\u00f9\u0020\u006a\u00a8\u0050\u0019."
                    + "\u0080\u0002M\u00e9\u0003.\u0080\u0002}X\u000d\0\0\0little_endian\u0088s."
            )
        );
        stream.Write(Pickle(storage, views, isLegacy: true));
        stream.Write(Latin1($"\u0080\u0002]{Text(Key)}a."));
        stream.Write(BitConverter.GetBytes((long)storage.Length));
        stream.Write(Bytes(storage));
    }

    private static byte[] Pickle(float[] storage, View[] views, bool isLegacy)
    {
        var pickle = new StringBuilder("\u0080\u0002}(");
        foreach (var view in views)
        {
            pickle.Append(CultureInfo.InvariantCulture, $"{Text(view.Name)}ctorch._utils\n_rebuild_tensor_v2\n((");
            pickle.Append(
                CultureInfo.InvariantCulture,
                $"{Text("storage")}ctorch\nFloatStorage\n{Text(Key)}{Text("cpu")}{Number(storage.Length)}{(isLegacy ? "N" : "")}tQ"
            );
            pickle.Append(
                CultureInfo.InvariantCulture,
                $"{Number(view.Offset)}({string.Concat(view.Shape.Select(Number))}t({string.Concat(view.Strides.Select(Number))}t\u0089NtR"
            );
        }

        return Latin1(pickle.Append("u.").ToString());
    }

    private static string Text(string text) => $"X{(char)text.Length}\0\0\0{text}";

    private static string Number(long number) => "J" + Encoding.Latin1.GetString(BitConverter.GetBytes(checked((int)number)));

    private static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);

    private static byte[] Bytes(float[] storage)
    {
        var bytes = new byte[storage.Length * sizeof(float)];
        Buffer.BlockCopy(storage, 0, bytes, 0, bytes.Length);
        return bytes;
    }
}
