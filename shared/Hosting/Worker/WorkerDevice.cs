using ClipSae.Hosting.Settings;

namespace ClipSae.Hosting.Worker;

/// <summary>
/// Puts this worker's own device in place of the one that a run asks for, before the unit's key is made: the key says what was used.
/// </summary>
public sealed class WorkerDevice(ClipSaeOptions options)
{
    private const string Parameter = "device";
    private const string Processor = "cpu";
    private volatile string _last = Processor;
    private volatile string? _lost;

    /// <summary>
    /// The device that this worker computes on: its own, or the one that its last unit asked for; <c>cpu</c> before the first.
    /// </summary>
    public string Current => options.Device ?? _last;

    /// <summary>Why the device no longer computes in this process; null while it does.</summary>
    public string? Lost => _lost;

    /// <summary>The device no longer computes: the process takes no more units.</summary>
    public void Lose(string reason) => _lost = reason;

    /// <summary>The device that a unit computes on; null where its stage has none.</summary>
    /// <param name="unit">The unit, its parameters normalized.</param>
    public static string? Of(RunUnit unit) => unit.Parameters[Parameter]?.GetValue<string>();

    /// <summary>The unit as this worker computes it.</summary>
    /// <param name="unit">The unit, its parameters normalized.</param>
    public RunUnit Apply(RunUnit unit)
    {
        if (Of(unit) is not { } asked)
        {
            return unit;
        }

        if (options.Device is not { } device)
        {
            _last = asked;
            return unit;
        }

        var parameters = unit.Parameters.DeepClone().AsObject();
        parameters[Parameter] = device;
        return unit with { Parameters = parameters };
    }
}
