using System.Buffers.Binary;
using System.Text;
using TorchSharp;

namespace ClipSae.Tensors.Tests;

public sealed class SafetensorsTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");

    public void Dispose()
    {
        _scope.Dispose();
        File.Delete(_path);
    }

    [Theory]
    [InlineData(torch.ScalarType.Float64)]
    [InlineData(torch.ScalarType.Float32)]
    [InlineData(torch.ScalarType.Float16)]
    [InlineData(torch.ScalarType.BFloat16)]
    [InlineData(torch.ScalarType.Int64)]
    [InlineData(torch.ScalarType.Int32)]
    [InlineData(torch.ScalarType.Int16)]
    [InlineData(torch.ScalarType.Int8)]
    [InlineData(torch.ScalarType.Byte)]
    [InlineData(torch.ScalarType.Bool)]
    public void Every_element_type_survives(torch.ScalarType type)
    {
        var tensor = torch.arange(-6, 6).view(3, 4).to(type);
        Write(("x", tensor));
        using var file = SafetensorsFile.Open(_path);
        var read = file.Read("x");
        read.dtype.ShouldBe(type);
        read.shape.ShouldBe([3, 4]);
        read.equal(tensor).all().item<bool>().ShouldBeTrue();
    }

    [Fact]
    public void Scalars_empty_tensors_views_and_metadata_survive()
    {
        var matrix = torch.arange(6, dtype: torch.float32).view(2, 3);
        SafetensorsWriter.Write(
            _path,
            Tensors(("scalar", torch.tensor(2.5f)), ("empty", torch.zeros(0, 4)), ("transposed", matrix.t())),
            new Dictionary<string, string> { ["format"] = "pt", ["quote"] = "a \"b\" ü" }
        );
        using var file = SafetensorsFile.Open(_path);
        file.Metadata["quote"].ShouldBe("a \"b\" ü");
        file.Read("scalar").shape.ShouldBeEmpty();
        file.Read("scalar").item<float>().ShouldBe(2.5f);
        file.Read("empty").shape.ShouldBe([0, 4]);
        file.Read("transposed").Equals(matrix.t().contiguous()).ShouldBeTrue();
    }

    [Fact]
    public void Equal_tensors_give_equal_bytes_in_whatever_order_they_come()
    {
        var (a, b) = (torch.ones(3), torch.zeros(2, 2, dtype: torch.int64));
        Write(("a", a), ("b", b));
        var first = File.ReadAllBytes(_path);
        Write(("b", b), ("a", a));
        File.ReadAllBytes(_path).ShouldBe(first);
    }

    [Fact]
    public void Rows_can_be_read_alone()
    {
        var tensor = torch.arange(20, dtype: torch.float32).view(5, 4);
        Write(("x", tensor));
        using var file = SafetensorsFile.Open(_path);
        file.ReadRows("x", 2, 2).Equals(tensor.narrow(0, 2, 2).contiguous()).ShouldBeTrue();
        Should.Throw<UserErrorException>(() => file.ReadRows("x", 4, 2)).Message.ShouldContain("'x'");
    }

    [Fact]
    public void Missing_key_is_named_with_the_file()
    {
        Write(("visual.proj", torch.ones(1)));
        using var file = SafetensorsFile.Open(_path);
        var message = Should.Throw<UserErrorException>(() => file.Read("text.proj")).Message;
        message.ShouldContain(_path);
        message.ShouldContain("'text.proj'");
        message.ShouldContain("'visual.proj'");
        file.TryRead("text.proj", out _).ShouldBeFalse();
    }

    [Fact]
    public void Missing_file_is_a_clear_line() =>
        Should.Throw<UserErrorException>(() => SafetensorsFile.Open(_path)).Message.ShouldContain(_path);

    [Fact]
    public void Truncated_file_is_refused_at_every_length()
    {
        Write(("a", torch.ones(4)), ("b", torch.ones(2, 3)));
        var whole = File.ReadAllBytes(_path);
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(_path, whole[..length]);
            Should.Throw<UserErrorException>(() => SafetensorsFile.Open(_path)).Message.ShouldContain(_path);
        }
    }

    [Fact]
    public void Any_flipped_header_byte_is_read_or_refused_but_never_worse()
    {
        Write(("a", torch.ones(4)), ("b", torch.ones(2, 3)));
        var whole = File.ReadAllBytes(_path);
        var header = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(whole);
        for (var i = 0; i < header; i++)
        {
            foreach (var bit in new[] { 0x01, 0x10, 0x80 })
            {
                var broken = whole.ToArray();
                broken[i] ^= (byte)bit;
                File.WriteAllBytes(_path, broken);
                try
                {
                    using var file = SafetensorsFile.Open(_path);
                    foreach (var entry in file.Entries.Values.Where(e => e.ScalarType is not null))
                    {
                        file.Read(entry.Name).Dispose();
                    }
                }
                catch (UserErrorException)
                {
                    // Refused, as it may be.
                }
            }
        }
    }

    [Theory]
    [InlineData("{\"x\":{\"dtype\":\"F32\",\"shape\":[1000000],\"data_offsets\":[0,4000000]}}", "'x' claims bytes 0..4000000")]
    [InlineData("{\"x\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,16]}}", "does not take 16 bytes")]
    [InlineData("{\"x\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,16]}}", "'x' is F32 [5]")]
    [InlineData("{\"x\":{\"dtype\":\"F32\",\"shape\":[-4],\"data_offsets\":[0,16]}}", "'x'")]
    [InlineData("{\"x\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,0]}}", "'x' claims bytes 16..0")]
    [InlineData("{\"x\":{\"dtype\":\"C64\",\"shape\":[2],\"data_offsets\":[0,16]}}", "unknown dtype 'C64'")]
    [InlineData("{\"x\":{\"dtype\":\"F32\",\"shape\":[4]}}", "'x' lacks")]
    [InlineData(
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"y\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[4,16]}}",
        "'y' overlaps"
    )]
    [InlineData(
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"y\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
        "'y' leaves a hole"
    )]
    [InlineData("{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "belong to none")]
    [InlineData(
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]},\"x\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "'x' appears twice"
    )]
    [InlineData("[1,2,3]", "not valid JSON")]
    [InlineData("{\"x\":7}", "'x' does not describe")]
    public void Lying_header_is_refused_by_name(string header, string reason)
    {
        WriteRaw((ulong)Encoding.UTF8.GetByteCount(header), header, new byte[16]);
        var message = Should.Throw<UserErrorException>(() => SafetensorsFile.Open(_path)).Message;
        message.ShouldContain(_path);
        message.ShouldContain(reason);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 62)]
    [InlineData(1000)]
    public void Header_longer_than_the_file_is_refused_without_allocating_it(ulong length)
    {
        WriteRaw(length, "{}", []);
        Should.Throw<UserErrorException>(() => SafetensorsFile.Open(_path)).Message.ShouldContain($"header of {length} bytes");
    }

    [Fact]
    public void Type_that_cannot_be_computed_with_is_refused_only_when_read()
    {
        var header = "{\"x\":{\"dtype\":\"F8_E4M3\",\"shape\":[16],\"data_offsets\":[0,16]}}";
        WriteRaw((ulong)header.Length, header, new byte[16]);
        using var file = SafetensorsFile.Open(_path);
        Should.Throw<UserErrorException>(() => file.Read("x")).Message.ShouldContain("F8_E4M3");
    }

    [Fact]
    public void Failed_write_leaves_the_old_file_and_nothing_else()
    {
        Write(("x", torch.ones(2)));
        var before = File.ReadAllBytes(_path);
        Should.Throw<UserErrorException>(() =>
            SafetensorsWriter.Write(Path.Combine(_path, "inside-a-file"), Tensors(("x", torch.ones(2))))
        );
        Should.Throw<Exception>(() => Write(("x", torch.ones(2)), ("y", torch.ones(2, device: torch.META))));
        File.ReadAllBytes(_path).ShouldBe(before);
        Directory.GetFiles(Path.GetDirectoryName(_path)!, Path.GetFileName(_path) + "*").ShouldBe([_path]);
    }

    private void Write(params (string Name, torch.Tensor Value)[] tensors) => SafetensorsWriter.Write(_path, Tensors(tensors));

    private static IEnumerable<KeyValuePair<string, torch.Tensor>> Tensors(params (string Name, torch.Tensor Value)[] tensors) =>
        tensors.Select(t => new KeyValuePair<string, torch.Tensor>(t.Name, t.Value));

    private void WriteRaw(ulong length, string header, byte[] data)
    {
        using var stream = File.Create(_path);
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, length);
        stream.Write(prefix);
        stream.Write(Encoding.UTF8.GetBytes(header));
        stream.Write(data);
    }
}
