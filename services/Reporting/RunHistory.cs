using System.Globalization;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using ClipSae.Reporting.Data;
using ClipSae.Results;

namespace ClipSae.Reporting;

/// <summary>What the run's events say about it.</summary>
internal static class RunHistory
{
    /// <summary>Adds start, parameters and finished units to what is known.</summary>
    public static ReportData Tell(ReportData data, IEnumerable<StoredEvent> events)
    {
        var state = RunState.Fold(events.Select(stored => stored.Event));
        if (state.Start is { } started)
        {
            data = data with
            {
                Parameters = started.Spec.Parameters,
                Seed = started.Spec.Seed,
                Origin = started.Spec.Origin?.Run,
                Inputs = started.Spec.Inputs,
            };
        }

        UnitRecord[] ordered =
        [
            .. state
                .StagesInOrder()
                .SelectMany(stage => stage.FinishedUnits())
                .Select(unit => new UnitRecord(
                    unit.Stage,
                    unit.Unit,
                    unit.Cache.Kind.ToString().ToLowerInvariant(),
                    unit.Cache.Reason,
                    unit.StartedAt,
                    unit.Seconds,
                    unit.Key,
                    unit.Outputs,
                    unit.Metrics
                ))
                .OrderBy(unit => unit.StartedAt)
                .ThenBy(unit => unit.Stage, StringComparer.Ordinal)
                .ThenBy(unit => unit.Unit, StringComparer.Ordinal),
        ];
        return data with
        {
            Missing =
            [
                .. state
                    .Missing()
                    .Select(failed => new MissingUnit(
                        failed.Stage,
                        failed.Unit,
                        failed.Reason,
                        state.Stages[failed.Stage].Plan.Units.Count
                    )),
            ],
            Stages =
            [
                .. state
                    .StagesInOrder()
                    .Select(stage => new StageVersion(
                        stage.Plan.Stage,
                        stage.Plan.AlgorithmVersion,
                        [
                            .. stage
                                .FinishedUnits()
                                .Select(unit => unit.Computed)
                                .OfType<ComputeTraits>()
                                .Distinct()
                                .Select(Said)
                                .Order(StringComparer.Ordinal),
                        ]
                    )),
            ],
            Units = ordered,
            Curation = Metrics(ResultFormats.CurationMetrics, ParameterSections.Curation).FirstOrDefault().Value,
            Tuning = [.. Metrics(ResultFormats.TuningMetrics, ParameterSections.Tuning)],
        };

        IEnumerable<KeyValuePair<string, T>> Metrics<T>(ResultFormat<T> format, string stage)
            where T : class =>
            ordered
                .Where(unit => unit.Stage == stage)
                .Select(unit => KeyValuePair.Create(unit.Unit, format.Read(unit.Metrics, $"metrics of {unit.Stage}/{unit.Unit}")));
    }

    private static string Said(ComputeTraits traits) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"ClipSae {traits.Software.Split('+')[0]} on {traits.Device}, {traits.Processor}, {traits.Threads} thread"
                + $"{(traits.Threads == 1 ? "" : "s")}"
        );
}
