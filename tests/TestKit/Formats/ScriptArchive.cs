using System.Globalization;
using System.IO.Hashing;
using System.Text;
using ClipSae.Tensors.Torch;
using TorchSharp;

namespace ClipSae.TestKit.Formats;

/// <summary>
/// A TorchScript archive of modules inside of modules, as <c>torch.jit.save</c> gives for a model, written by libtorch itself.
/// </summary>
public static class ScriptArchive
{
    /// <summary>Writes an archive.</summary>
    /// <param name="tensors">By key; a dot leads into a module.</param>
    // libtorch has to load the draft before it can write the archive, so the draft is what libtorch takes for an archive.
    public static void Write(string path, IReadOnlyDictionary<string, torch.Tensor> tensors)
    {
        var draft = path + ".draft";
        using (var file = File.Create(draft))
        {
            var zip = new StoredZip(file);
            var root = Module.Of(tensors);
            Add(zip, "data.pkl", new Pickle().Write(root));
            Add(zip, "code/__torch__.py", Encoding.ASCII.GetBytes(root.Code()));
            foreach (var (place, tensor) in root.Tensors())
            {
                Add(zip, $"data/{place}", tensor.contiguous().bytes.ToArray());
            }

            Add(zip, "constants.pkl", [0x80, 2, (byte)')', (byte)'.']);
            Add(zip, "version", "3\n"u8.ToArray());
            zip.End();
        }

        using var module = torch.jit.load(draft);
        torch.jit.save(module, path);
        File.Delete(draft);
    }

    private static void Add(StoredZip zip, string name, byte[] content)
    {
        zip.Begin("module/" + name, Crc32.HashToUInt32(content), content.Length);
        zip.Append(content);
    }

    private sealed class Module(int number)
    {
        private readonly SortedDictionary<string, Module> _children = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, (int Place, torch.Tensor Tensor)> _parameters = new(StringComparer.Ordinal);

        public string Name => string.Create(CultureInfo.InvariantCulture, $"M{number}");

        public IReadOnlyDictionary<string, Module> Children => _children;

        public IReadOnlyDictionary<string, (int Place, torch.Tensor Tensor)> Parameters => _parameters;

        public static Module Of(IReadOnlyDictionary<string, torch.Tensor> tensors)
        {
            var (root, modules, place) = (new Module(0), 1, 0);
            foreach (var (key, tensor) in tensors)
            {
                var parts = key.Split('.');
                var module = root;
                foreach (var part in parts[..^1])
                {
                    if (!module._children.TryGetValue(part, out var inner))
                    {
                        module._children[part] = inner = new Module(modules++);
                    }

                    module = inner;
                }

                module._parameters[parts[^1]] = (place++, tensor);
            }

            return root;
        }

        public IEnumerable<(int Place, torch.Tensor Tensor)> Tensors() =>
            _parameters.Values.Concat(_children.Values.SelectMany(child => child.Tensors()));

        // Classes come before those that hold them; a number is no identifier, so layers of a list are annotated by their text.
        public string Code()
        {
            var code = new StringBuilder();
            foreach (var child in _children.Values)
            {
                code.Append(child.Code());
            }

            code.Append(
                CultureInfo.InvariantCulture,
                $"class {Name}(Module):\n  __parameters__ "
                    + $"= [{string.Concat(_parameters.Keys.Select(name => $"\"{name}\", "))}]\n  __buffers__ = []\n"
            );
            foreach (var name in _parameters.Keys)
            {
                code.Append(CultureInfo.InvariantCulture, $"  {name} : Tensor\n");
            }

            code.Append("  training : bool\n");
            var listed = _children.Where(child => char.IsAsciiDigit(child.Key[0])).ToArray();
            code.Append(listed.Length > 0 ? "  __annotations__ = []\n" : "");
            foreach (var (name, child) in _children)
            {
                code.Append(
                    CultureInfo.InvariantCulture,
                    $"  {(listed.Length > 0 ? $"__annotations__[\"{name}\"] =" : $"{name} :")} __torch__.{child.Name}\n"
                );
            }

            return code.ToString();
        }
    }

    private sealed class Pickle
    {
        private readonly MemoryStream _bytes = new();

        public byte[] Write(Module root)
        {
            Put("\u0080\u0002");
            Object(root);
            Put(".");
            return _bytes.ToArray();
        }

        private void Object(Module module)
        {
            Put($"c__torch__\n{module.Name}\n)\u0081}}(");
            foreach (var (name, (place, tensor)) in module.Parameters)
            {
                Text(name);
                Tensor(place, tensor);
            }

            Text("training");
            Put("\u0089");
            foreach (var (name, child) in module.Children)
            {
                Text(name);
                Object(child);
            }

            Put("ub");
        }

        private void Tensor(int place, torch.Tensor tensor)
        {
            Put("ctorch._utils\n_rebuild_tensor_v2\n((");
            Text("storage");
            Put($"ctorch\n{(tensor.dtype == torch.ScalarType.Float16 ? "HalfStorage" : "FloatStorage")}\n");
            Text(place.ToString(CultureInfo.InvariantCulture));
            Text("cpu");
            Number(tensor.NumberOfElements);
            Put("tQ");
            Number(0);
            Numbers(tensor.shape);
            Numbers(tensor.contiguous().stride());
            Put("\u0089ccollections\nOrderedDict\n)RtR");
        }

        private void Numbers(IEnumerable<long> numbers)
        {
            Put("(");
            foreach (var number in numbers)
            {
                Number(number);
            }

            Put("t");
        }

        private void Number(long number)
        {
            Put("J");
            _bytes.Write(BitConverter.GetBytes(checked((int)number)));
        }

        private void Text(string text) => Put($"X{(char)text.Length}\0\0\0{text}");

        private void Put(string latin1) => _bytes.Write(Encoding.Latin1.GetBytes(latin1));
    }
}
