using ClipSae.Contracts;
using ClipSae.Pipeline;

namespace ClipSae.Hosting;

/// <summary>Puts this worker's own device in place of the one that a run asks for, before the unit's key is made: the key tells what was used.</summary>
public sealed class WorkerDevice(ClipSaeOptions options, IEnumerable<IStage> stages)
{
    private const string Parameter = "device";
    private const string Processor = "cpu";
    private volatile string _last = Processor;

    /// <summary>The device that this worker computes on: its own, or the one that its last unit asked for; <c>cpu</c> before the first.</summary>
    public string Current => options.Device ?? _last;

    public RunUnit Apply(RunUnit unit)
    {
        if (stages.FirstOrDefault(stage => stage.Name == unit.Stage) is not { } stage
            || stage.Normalize(unit.Parameters.DeepClone().AsObject())[Parameter]?.GetValue<string>() is not { } asked)
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
