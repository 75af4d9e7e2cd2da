using System.Numerics;
using System.Text;

namespace ClipSae.Datasets;

/// <summary>
/// Draws from a seed (xoshiro256** started by splitmix64, Blackman and Vigna 2018): the same numbers on every machine and runtime. Each
/// (seed, purpose, index) is a stream of its own, so pictures can be drawn in any order and in parallel with the same result.
/// </summary>
public sealed class SeededRandom
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    public SeededRandom(long seed, string purpose, long index = 0)
    {
        var state = Mix((ulong)seed);
        foreach (var octet in Encoding.UTF8.GetBytes(purpose))
        {
            state = Mix(state ^ octet);
        }

        state = Mix(state ^ (ulong)index);
        _a = Mix(state + 1);
        _b = Mix(state + 2);
        _c = Mix(state + 3);
        _d = Mix(state + 4);
    }

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        var result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        var shifted = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [low, high).</summary>
    public double NextDouble(double low, double high) => low + (high - low) * NextDouble();

    /// <summary>Uniform in 0 … count − 1.</summary>
    public int Next(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return (int)Math.BigMul(NextBits(), (ulong)count, out _);
    }

    /// <summary>Uniform in low … high, both included.</summary>
    public int Next(int low, int high) => low + Next(high - low + 1);

    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];

    /// <summary>Fisher-Yates, in place.</summary>
    public void Shuffle<T>(IList<T> items)
    {
        for (var last = items.Count - 1; last > 0; last--)
        {
            var other = Next(last + 1);
            (items[last], items[other]) = (items[other], items[last]);
        }
    }

    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
