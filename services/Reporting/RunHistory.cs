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
        foreach (var stored in events)
        {
            switch (stored.Event)
            {
                case RunStarted started:
                    data = data with { Parameters = started.Parameters, Seed = started.Seed, Origin = started.Origin?.Run, Inputs = started.Inputs };
                    planned = started.Plan.Stages.ToDictionary(stage => stage.Stage, stage => stage.Units.Count, StringComparer.Ordinal);
                    break;
                case UnitFailed failure:
                    failed[(failure.Stage, failure.Unit)] = failure.Reason;
                    break;
                case UnitsGivenUp givenUp:
                    missing.AddRange(givenUp.Units.Select(unit => new MissingUnit(givenUp.Stage, unit, failed[(givenUp.Stage, unit)], planned[givenUp.Stage])));
                    break;
                case UnitFinished unit:
                    units.Add(new UnitRecord(
                        unit.Stage, unit.Unit, unit.Cache.Kind.ToString().ToLowerInvariant(), unit.Cache.Reason, unit.StartedAt, unit.Seconds, unit.Key, unit.Outputs, unit.Figures));
                    break;
            }
        }

        UnitRecord[] ordered = [.. units.OrderBy(unit => unit.StartedAt).ThenBy(unit => unit.Stage, StringComparer.Ordinal).ThenBy(unit => unit.Unit, StringComparer.Ordinal)];
        return data with
        {
            Missing = missing,
            Units = ordered,
            Curation = Figures(ResultFormats.CurationFigures, ParameterSections.Curation).FirstOrDefault().Value,
            Tuning = [.. Figures(ResultFormats.TuningFigures, ParameterSections.Tuning)],
        };

        IEnumerable<KeyValuePair<string, T>> Figures<T>(ResultFormat<T> format, string stage)
            where T : class => ordered.Where(unit => unit.Stage == stage).Select(unit => KeyValuePair.Create(unit.Unit, format.Read(unit.Figures, $"figures of {unit.Stage}/{unit.Unit}")));
    }
}
