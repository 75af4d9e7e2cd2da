using ClipSae.Contracts;
using ClipSae.Pipeline;
using ClipSae.Results;

namespace ClipSae.Reporting;

/// <summary>What the run's events say about it.</summary>
internal static class RunHistory
{
    /// <summary>Adds start, parameters and finished units to what is known.</summary>
    public static ReportData Tell(ReportData data, IEnumerable<StoredEvent> events)
    {
        var units = new List<UnitRecord>();
        var planned = new Dictionary<string, int>(StringComparer.Ordinal);
        var failed = new Dictionary<(string Stage, string Unit), string>();
        var missing = new List<MissingUnit>();
        var stages = new List<StageVersion>();
        var computed = new HashSet<(string Stage, ComputeTraits Traits)>();
        foreach (var stored in events)
        {
            switch (stored.Event)
            {
                case RunStarted started:
                    data = data with { Parameters = started.Parameters, Seed = started.Seed, Origin = started.Origin?.Run, Inputs = started.Inputs };
                    stages = [.. started.Plan.Stages.Select(stage => new StageVersion(stage.Stage, stage.AlgorithmVersion, []))];
                    planned = started.Plan.Stages.ToDictionary(stage => stage.Stage, stage => stage.Units.Count, StringComparer.Ordinal);
                    break;
                case UnitFailed failure:
                    failed[(failure.Stage, failure.Unit)] = failure.Reason;
                    break;
                case UnitsGivenUp givenUp:
                    missing.AddRange(givenUp.Units.Select(unit => new MissingUnit(givenUp.Stage, unit, failed[(givenUp.Stage, unit)], planned[givenUp.Stage])));
                    break;
                case UnitFinished unit:
                    if (unit.Computed is { } traits)
                    {
                        computed.Add((unit.Stage, traits));
                    }

                    units.Add(new UnitRecord(
                        unit.Stage, unit.Unit, unit.Cache.Kind.ToString().ToLowerInvariant(), unit.Cache.Reason, unit.StartedAt, unit.Seconds, unit.Key, unit.Outputs, unit.Figures));
                    break;
            }
        }

        UnitRecord[] ordered = [.. units.OrderBy(unit => unit.StartedAt).ThenBy(unit => unit.Stage, StringComparer.Ordinal).ThenBy(unit => unit.Unit, StringComparer.Ordinal)];
        return data with
        {
            Missing = missing,
            Stages = [.. stages.Select(stage => stage with { Computed = [.. computed.Where(one => one.Stage == stage.Stage).Select(one => Said(one.Traits)).Order(StringComparer.Ordinal)] })],
            Units = ordered,
            Curation = Figures(ResultFormats.CurationFigures, ParameterSections.Curation).FirstOrDefault().Value,
            Tuning = [.. Figures(ResultFormats.TuningFigures, ParameterSections.Tuning)],
        };

        IEnumerable<KeyValuePair<string, T>> Figures<T>(ResultFormat<T> format, string stage)
            where T : class => ordered.Where(unit => unit.Stage == stage).Select(unit => KeyValuePair.Create(unit.Unit, format.Read(unit.Figures, $"figures of {unit.Stage}/{unit.Unit}")));
    }

    private static string Said(ComputeTraits traits) =>
        FormattableString.Invariant($"ClipSae {traits.Software.Split('+')[0]} on {traits.Device}, {traits.Processor}, {traits.Threads} thread{(traits.Threads == 1 ? "" : "s")}");
}
