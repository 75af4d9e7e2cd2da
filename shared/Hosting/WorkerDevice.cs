using ClipSae.Contracts;
using ClipSae.Pipeline;

namespace ClipSae.Hosting;

/// <summary>Puts this worker's own device in place of the one that a run asks for, before the unit's key is made: the key tells what was used.</summary>
public sealed class WorkerDevice(ClipSaeOptions options, IEnumerable<IStage> stages)
{
    private const string Parameter = "device";

    public RunUnit Apply(RunUnit unit)
    {
        if (options.Device is not { } device || stages.FirstOrDefault(stage => stage.Name == unit.Stage) is not { } stage)
        {
            return unit;
        }

        var parameters = unit.Parameters.DeepClone().AsObject();
        if (!stage.Normalize(parameters.DeepClone().AsObject()).ContainsKey(Parameter))
        {
            return unit;
        }

        parameters[Parameter] = device;
        return unit with { Parameters = parameters };
    }
}
