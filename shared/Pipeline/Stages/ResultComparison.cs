using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;

namespace ClipSae.Pipeline.Stages;

/// <summary>Compares results that other threads or processors computed: numbers within a tolerance, everything else as it is.</summary>
public static class ResultComparison
{
    /// <summary>Largest difference of a number, as a share of the largest of its tensor, or of itself in JSON.</summary>
    public const double Tolerance = 0.01;

    private const int MaxHeaderLength = 100 << 20;

    /// <summary>What differs beyond the tolerance; null where nothing does.</summary>
    /// <param name="names">The outputs to compare.</param>
    public static async Task<string?> ProblemAsync(
        IReadOnlyDictionary<string, ArtifactRef> before,
        IReadOnlyDictionary<string, ArtifactRef> now,
        IEnumerable<string> names,
        IArtifactStore artifacts,
        CancellationToken cancel
    )
    {
        foreach (var name in names)
        {
            if (!before.TryGetValue(name, out var earlier) || !now.TryGetValue(name, out var later))
            {
                return $"{name} is present only once";
            }

            var (a, b) = (await artifacts.FetchAsync(earlier, cancel), await artifacts.FetchAsync(later, cancel));
            var problem = later.MediaType switch
            {
                var type when MediaTypes.IsJson(type) => Json(
                    "",
                    JsonNode.Parse(await File.ReadAllBytesAsync(a, cancel)),
                    JsonNode.Parse(await File.ReadAllBytesAsync(b, cancel))
                ),
                MediaTypes.Safetensors => Tensors(a, b),
                var other => $"is of type {other}, which is compared byte for byte",
            };
            if (problem is not null)
            {
                return $"{name}{(problem.StartsWith('.') || problem.StartsWith('[') ? "" : " ")}{problem}";
            }
        }

        return null;
    }

    private static string? Json(string path, JsonNode? before, JsonNode? now)
    {
        switch (before, now)
        {
            case (JsonObject a, JsonObject b):
                return a.Count != b.Count
                    ? $"{path} has different members"
                    : a.Select(member =>
                            b.ContainsKey(member.Key)
                                ? Json($"{path}.{member.Key}", member.Value, b[member.Key])
                                : $"{path} lacks {member.Key}"
                        )
                        .FirstOrDefault(problem => problem is not null);
            case (JsonArray a, JsonArray b):
                return a.Count != b.Count
                    ? $"{path} has {b.Count} members, not {a.Count}"
                    : a.Select((member, index) => Json(FormattableString.Invariant($"{path}[{index}]"), member, b[index]))
                        .FirstOrDefault(problem => problem is not null);
            case (JsonValue a, JsonValue b) when a.GetValueKind() == JsonValueKind.Number && b.GetValueKind() == JsonValueKind.Number:
                var (x, y) = (a.GetValue<double>(), b.GetValue<double>());
                return Math.Abs(x - y) <= Tolerance * Math.Max(1e-6, Math.Max(Math.Abs(x), Math.Abs(y)))
                    ? null
                    : FormattableString.Invariant($"{path} was {x}, is {y}");
            default:
                return JsonNode.DeepEquals(before, now)
                    ? null
                    : $"{path} was {before?.ToJsonString() ?? "null"}, is {now?.ToJsonString() ?? "null"}";
        }
    }

    private static string? Tensors(string before, string now)
    {
        using var a = Opened.Read(before);
        using var b = Opened.Read(now);
        if (!a.Tensors.Keys.ToHashSet(StringComparer.Ordinal).SetEquals(b.Tensors.Keys))
        {
            return "has different tensors";
        }

        foreach (var name in a.Tensors.Keys.Order(StringComparer.Ordinal))
        {
            var (x, y) = (a.Values(name), b.Values(name));
            if (x.Length != y.Length)
            {
                return $"[{name}] has a different shape";
            }

            var (largest, difference) = (0.0, 0.0);
            for (var i = 0; i < x.Length; i++)
            {
                largest = Math.Max(largest, Math.Abs(x[i]));
                difference = Math.Max(
                    difference,
                    x[i].Equals(y[i]) ? 0
                        : double.IsNaN(x[i] - y[i]) ? double.PositiveInfinity
                        : Math.Abs(x[i] - y[i])
                );
            }

            if (difference > Tolerance * largest)
            {
                return FormattableString.Invariant($"[{name}] differs by {difference / largest:0.###} of its largest number");
            }
        }

        return null;
    }

    /// <summary>A safetensors file of our own making: eight bytes of length, a JSON header, and the tensors' bytes.</summary>
    private sealed class Opened(FileStream file, IReadOnlyDictionary<string, (string Type, long Start, int Length)> tensors) : IDisposable
    {
        public IReadOnlyDictionary<string, (string Type, long Start, int Length)> Tensors => tensors;

        public static Opened Read(string path)
        {
            var file = File.OpenRead(path);
            Span<byte> length = stackalloc byte[sizeof(long)];
            file.ReadExactly(length);
            var header = new byte[checked((int)Math.Min(BinaryPrimitives.ReadInt64LittleEndian(length), MaxHeaderLength))];
            file.ReadExactly(header);
            var data = sizeof(long) + header.Length;
            return new Opened(
                file,
                JsonNode
                    .Parse(header)!
                    .AsObject()
                    .Where(tensor => tensor.Key != "__metadata__")
                    .ToDictionary(
                        tensor => tensor.Key,
                        tensor =>
                            (
                                tensor.Value!["dtype"]!.GetValue<string>(),
                                data + tensor.Value["data_offsets"]![0]!.GetValue<long>(),
                                checked(
                                    (int)(
                                        tensor.Value["data_offsets"]![1]!.GetValue<long>()
                                        - tensor.Value["data_offsets"]![0]!.GetValue<long>()
                                    )
                                )
                            ),
                        StringComparer.Ordinal
                    )
            );
        }

        public double[] Values(string name)
        {
            var (type, start, length) = tensors[name];
            var bytes = new byte[length];
            file.Position = start;
            file.ReadExactly(bytes);
            return type switch
            {
                "F64" => MemoryMarshal.Cast<byte, double>(bytes).ToArray(),
                "F32" => Array.ConvertAll(MemoryMarshal.Cast<byte, float>(bytes).ToArray(), value => (double)value),
                "F16" => Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(bytes).ToArray(), value => (double)value),
                "BF16" => Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(bytes).ToArray(), value =>
                    (double)BitConverter.UInt32BitsToSingle((uint)value << 16)
                ),
                "I64" => Array.ConvertAll(MemoryMarshal.Cast<byte, long>(bytes).ToArray(), value => (double)value),
                "I32" => Array.ConvertAll(MemoryMarshal.Cast<byte, int>(bytes).ToArray(), value => (double)value),
                _ => Array.ConvertAll(bytes, value => (double)value),
            };
        }

        public void Dispose() => file.Dispose();
    }
}
