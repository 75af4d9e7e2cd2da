using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.RegularExpressions;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.TestKit.Formats;

/// <summary>
/// Opens a file again and again with a few bytes of its structure changed, or its end cut off. Every mutant must either be read or be
/// refused in one line that names the file and the place in it, and must neither make the reader allocate much more than the file is long
/// nor keep it busy.
/// </summary>
public sealed partial class MutationFuzz(string path, params (long Offset, long Length)[] structure)
{
    private const int MaxCutLength = 1 << 16;
    private const int MaxLineLength = 2_000;
    private const int MaxChanges = 4;

    /// <summary>A mutant takes well under a millisecond; this is for machines on which everything stands still for a while.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private static readonly long[] Extremes = [0, 1, -1, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue, 1L << 40];

    /// <summary>Runs the mutants.</summary>
    /// <returns>How many were read and how many refused.</returns>
    public (int Read, int Refused) Run(int mutants, int seed, long mostAllocated, Action<string, Random> open)
    {
        var random = new Random(seed);
        var original = File.ReadAllBytes(path);
        var (read, refused) = (0, 0);
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        for (var mutant = 0; mutant < mutants; mutant++)
        {
            var changed = new List<(long At, int Length)>();
            for (var change = random.Next(MaxChanges); change >= 0; change--)
            {
                changed.Add(Change(random, file, original));
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            var start = Stopwatch.GetTimestamp();
            try
            {
                open(path, random);
                read++;
            }
            catch (UserErrorException refusal)
            {
                refused++;
                // An index may be refused in the name of a file beside it.
                refusal.Message.ShouldContain(Path.GetDirectoryName(path)!, customMessage: $"mutant {mutant} of seed {seed}");
                refusal.Message.Length.ShouldBeLessThan(MaxLineLength, $"mutant {mutant} of seed {seed}");
                Place()
                    .IsMatch(refusal.Message[Path.GetDirectoryName(path)!.Length..])
                    .ShouldBeTrue($"mutant {mutant} of seed {seed} names no place: {refusal.Message}");
                refusal.Message.Any(char.IsControl).ShouldBeFalse($"mutant {mutant} of seed {seed}");
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException(
                    $"mutant {mutant} of seed {seed} ({string.Join(", ", changed)}): {failure.GetType().Name} {failure.Message}",
                    failure
                );
            }

            Stopwatch.GetElapsedTime(start).ShouldBeLessThan(Timeout, $"mutant {mutant} of seed {seed}");
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(mostAllocated, $"mutant {mutant} of seed {seed}");
            foreach (var (at, length) in changed)
            {
                file.Position = at;
                file.Write(original, (int)at, length);
            }
        }

        return (read, refused);
    }

    /// <summary>
    /// Reads one of the tensors of an open file; together they may take twice its length, since tensors may share their numbers.
    /// </summary>
    public static void ReadOne(string path, ITensorFile file, Random random)
    {
        using var scope = torch.NewDisposeScope();
        using var opened = file;
        opened.Entries.Values.Sum(entry => entry.Length).ShouldBeLessThanOrEqualTo(2 * new FileInfo(path).Length);
        if (opened.Entries.Count > 0)
        {
            opened.Read(opened.Entries.Keys.ElementAt(random.Next(opened.Entries.Count)));
        }
    }

    // A key, a byte offset or a count of bytes, a line, or an entry of a description.
    [GeneratedRegex(
        @"'.*'|\bbytes?\b|BytePosition|\bline \d|\w+_config\.\w+|\w+_config has|model\.merges|quick_gelu",
        RegexOptions.Singleline
    )]
    private static partial Regex Place();

    private (long At, int Length) Change(Random random, FileStream file, byte[] original)
    {
        if (random.Next(16) == 0)
        {
            var cut = random.Next(1, Math.Min(MaxCutLength, original.Length) + 1);
            file.SetLength(original.Length - cut);
            return (original.Length - cut, cut);
        }

        var (offset, length) = structure[random.Next(structure.Length)];
        var bytes = new byte[
            random.Next(4) switch
            {
                0 => 8,
                1 => 4,
                _ => 1,
            }
        ];
        var at = offset + random.NextInt64(Math.Max(1, length - bytes.Length));
        switch (random.Next(4))
        {
            case 0:
                random.NextBytes(bytes);
                break;
            case 1:
                Span<byte> wide = stackalloc byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(wide, Extremes[random.Next(Extremes.Length)]);
                wide[..bytes.Length].CopyTo(bytes);
                break;
            case 2:
                original.AsSpan((int)at, bytes.Length).CopyTo(bytes);
                bytes[0] ^= (byte)(1 << random.Next(8));
                break;
            default:
                // A piece of the structure from elsewhere: opcodes in the wrong place.
                original.AsSpan((int)(offset + random.NextInt64(Math.Max(1, length - bytes.Length))), bytes.Length).CopyTo(bytes);
                break;
        }

        if (file.Length < at + bytes.Length)
        {
            return (at, 0);
        }

        file.Position = at;
        file.Write(bytes);
        return (at, bytes.Length);
    }
}
