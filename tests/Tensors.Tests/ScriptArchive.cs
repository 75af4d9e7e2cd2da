using System.IO.Hashing;
using System.Text;
using TorchSharp;

namespace ClipSae.Tensors.Tests;

/// <summary>A TorchScript archive of a module with a weight, inside of it a module with another one, written by libtorch itself.</summary>
internal static class ScriptArchive
{
    public static readonly float[] Outer = [1, 2, 3];
    public static readonly float[] Inner = [0.5f, -0.5f];

    // libtorch has to load the draft before it can write the archive, so the draft is what libtorch takes for an archive.
    public static void Write(string path)
    {
        var draft = path + ".draft";
        using (var file = File.Create(draft))
        {
            var zip = new StoredZip(file);
            Add(zip, "data.pkl", Data());
            Add(zip, "code/__torch__.py", Encoding.ASCII.GetBytes(Code));
            Add(zip, "data/0", Bytes(Outer));
            Add(zip, "data/1", Bytes(Inner));
            Add(zip, "constants.pkl", [0x80, 2, (byte)')', (byte)'.']);
            Add(zip, "version", "3\n"u8.ToArray());
            zip.End();
        }

        using var module = torch.jit.load(draft);
        torch.jit.save(module, path);
    }

    private const string Code = """
        class Inner(Module):
          __parameters__ = ["weight", ]
          __buffers__ = []
          weight : Tensor
          training : bool
          def forward(self: __torch__.Inner,
            x: Tensor) -> Tensor:
            return torch.mul(x, self.weight)
        class Outer(Module):
          __parameters__ = ["positional_embedding", ]
          __buffers__ = []
          positional_embedding : Tensor
          training : bool
          visual : __torch__.Inner
          def forward(self: __torch__.Outer,
            x: Tensor) -> Tensor:
            return torch.add(x, self.positional_embedding)

        """;

    private static byte[] Data()
    {
        var pickle = new MemoryStream();
        Put("\u0080\u0002c__torch__\nOuter\n)\u0081}(");
        Text("positional_embedding");
        Tensor("0", 3);
        Text("training");
        Put("\u0089");
        Text("visual");
        Put("c__torch__\nInner\n)\u0081}(");
        Text("weight");
        Tensor("1", 2);
        Text("training");
        Put("\u0089ubub.");
        return pickle.ToArray();

        void Put(string latin1) => pickle.Write(Encoding.Latin1.GetBytes(latin1));

        void Text(string text) => Put($"X{(char)text.Length}\0\0\0{text}");

        void Tensor(string key, int elements)
        {
            Put("ctorch._utils\n_rebuild_tensor_v2\n((");
            Text("storage");
            Put("ctorch\nFloatStorage\n");
            Text(key);
            Text("cpu");
            Put($"K{(char)elements}tQK\0K{(char)elements}\u0085K\u0001\u0085\u0089ccollections\nOrderedDict\n)RtR");
        }
    }

    private static byte[] Bytes(float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static void Add(StoredZip zip, string name, byte[] content)
    {
        zip.Begin("module/" + name, Crc32.HashToUInt32(content), content.Length);
        zip.Append(content);
    }
}
