using ClipSae.Contracts;

namespace ClipSae.Hosting;

/// <summary>What a process of ClipSae is told from outside: configuration section <c>ClipSae</c>.</summary>
public sealed record ClipSaeOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "ClipSae";

    /// <summary>Folder of events, artifacts, results and checkpoints. Default <c>clipsae-data</c> in the working folder.</summary>
    public string DataFolder { get; init; } = "clipsae-data";

    /// <summary>How messages travel. Default and so far only choice <c>memory</c>: within the process.</summary>
    public string Bus { get; init; } = "memory";

    /// <summary>Units that this process works on at once. Default 1: one unit already uses all cores, or the one device.</summary>
    public int UnitsAtOnce { get; init; } = 1;

    /// <summary>How often a unit is tried when it fails for a passing reason. Default 3.</summary>
    public int Attempts { get; init; } = 3;

    /// <summary>Wait before the second attempt; it doubles with each further one. Default 1 s.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How soon a cancellation by another process is noticed, and how often a run of another process is looked at. Default 300 ms.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public void Validate()
    {
        if (UnitsAtOnce < 1 || Attempts < 1)
        {
            throw new UserErrorException($"{Section}: UnitsAtOnce and Attempts must be at least 1");
        }

        if (Bus != "memory")
        {
            throw new UserErrorException($"{Section}:Bus = {Bus}: known is memory");
        }
    }
}
