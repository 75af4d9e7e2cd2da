using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Pipeline.Runs;

/// <summary>Finds before anything runs what would make a plan stall or fail.</summary>
public static partial class RunPlanValidation
{
    private const int MaxUnitLength = 200; // a unit's name is the name of a file
    private const int MaxSelectorLength = 1_000;

    /// <summary>Checks names, selectors and run inputs; of parameters see <see cref="PlanParameters"/>.</summary>
    /// <param name="hosted">The stages that are hosted here; null where they are hosted elsewhere.</param>
    /// <exception cref="UserErrorException">What is wrong, and where.</exception>
    public static void Require(RunPlan plan, IReadOnlyDictionary<string, ArtifactRef> inputs, IReadOnlyCollection<string>? hosted)
    {
        RequireWhole(plan);
        UserErrorException.ThrowIf(plan.Stages.Count == 0, "the plan's stages is empty: expected at least one stage, or no plan at all");

        var earlier = new HashSet<string>(StringComparer.Ordinal);
        foreach (var stage in plan.Stages)
        {
            UserErrorException.ThrowIf(
                !StageName().IsMatch(stage.Stage) || QueueNames.IsTaken(stage.Stage),
                $"the plan names stage '{stage.Stage}', which is not a valid name: "
                    + $"expected lower-case letters, digits and '-', a letter first, at most 100, and not the name of another queue"
            );

            if (hosted?.Contains(stage.Stage, StringComparer.Ordinal) == false)
            {
                throw new UserErrorException(
                    $"the plan names stage {stage.Stage}, which is not hosted here; {NearMatches.Describe(stage.Stage, hosted)}"
                );
            }

            RequireUnits(stage);
            foreach (var selector in stage.Inputs.Concat(stage.Units.SelectMany(unit => unit.Inputs)).Distinct())
            {
                RequireSource(stage.Stage, selector, inputs, earlier);
            }

            UserErrorException.ThrowIf(!earlier.Add(stage.Stage), $"the plan names stage {stage.Stage} twice");
        }
    }

    /// <summary>JSON that comes from anywhere may hold null where the types promise that there is none.</summary>
    private static void RequireWhole(RunPlan plan)
    {
        RequireNoNull(plan.Stages, "stages");
        for (var i = 0; i < plan.Stages.Count; i++)
        {
            var stage = plan.Stages[i];
            var at = FormattableString.Invariant($"stages[{i}]");
            RequireThere(stage.Stage, $"{at}.stage");
            RequireThere(stage.Parameters, $"{at}.parameters");
            RequireSelectors(stage.Inputs, $"{at}.inputs");
            RequireNoNull(stage.Units, $"{at}.units");
            for (var j = 0; j < stage.Units.Count; j++)
            {
                var unit = FormattableString.Invariant($"{at}.units[{j}]");
                RequireThere(stage.Units[j].Name, $"{unit}.name");
                RequireThere(stage.Units[j].Parameters, $"{unit}.parameters");
                RequireSelectors(stage.Units[j].Inputs, $"{unit}.inputs");
            }
        }
    }

    private static void RequireSelectors(IReadOnlyList<InputSelector> selectors, string where)
    {
        RequireNoNull(selectors, where);
        for (var i = 0; i < selectors.Count; i++)
        {
            RequireName(selectors[i].As, FormattableString.Invariant($"{where}[{i}].as"));
            RequireName(selectors[i].From, FormattableString.Invariant($"{where}[{i}].from"));
        }
    }

    private static void RequireName([NotNull] string? value, string where)
    {
        RequireThere(value, where);
        if (NameProblem(value, MaxSelectorLength) is { } problem)
        {
            throw new UserErrorException($"the plan's {where} {problem}");
        }
    }

    /// <summary>What is wrong with a name that comes from anywhere and goes into paths, keys and lines; null for nothing.</summary>
    /// <param name="maxBytes">Bytes of UTF-8 that it may have.</param>
    public static string? NameProblem(string name, int maxBytes) =>
        name switch
        {
            "" => "is empty",
            _ when name.Any(char.IsControl) => "contains a control character",
            _ when Encoding.UTF8.GetByteCount(name) > maxBytes => $"is longer than {maxBytes} bytes",
            _ => null,
        };

    private static void RequireNoNull<T>(IReadOnlyList<T>? list, string where)
        where T : class
    {
        RequireThere(list, where);
        for (var i = 0; i < list.Count; i++)
        {
            RequireThere(list[i], FormattableString.Invariant($"{where}[{i}]"));
        }
    }

    private static void RequireThere([NotNull] object? value, string where) =>
        UserErrorException.ThrowIf(value is null, $"the plan's {where} is null");

    [GeneratedRegex("^[a-z][a-z0-9-]{0,99}$", RegexOptions.CultureInvariant)]
    private static partial Regex StageName();

    private static void RequireUnits(StagePlan stage)
    {
        UserErrorException.ThrowIf(stage.Units.Count == 0, $"stage {stage.Stage} has nothing to do: the plan has no unit for it");

        if (stage.ToleratedFailures is not (>= 0 and <= 1))
        {
            throw new UserErrorException(
                FormattableString.Invariant(
                    $"stage {stage.Stage}: toleratedFailures = {stage.ToleratedFailures}: expected the share of units that may fail, 0 to 1"
                )
            );
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var unit in stage.Units)
        {
            if (NameProblem(unit.Name, MaxUnitLength) is { } problem)
            {
                throw new UserErrorException($"stage {stage.Stage}: the name of unit '{unit.Name}' {problem}");
            }

            UserErrorException.ThrowIf(
                unit.Name.AsSpan().IndexOfAny("/:*\\") >= 0 || unit.Name.StartsWith('.') || !names.Add(unit.Name),
                $"stage {stage.Stage}: unit name '{unit.Name}' is not unique or contains one of / : * \\"
            );
        }
    }

    private static void RequireSource(
        string stage,
        InputSelector selector,
        IReadOnlyDictionary<string, ArtifactRef> inputs,
        HashSet<string> earlier
    )
    {
        switch (InputSource.Parse(selector.From))
        {
            case InputSource.RunInput input when !StarPattern.HasStar(input.Pattern) && !inputs.ContainsKey(input.Pattern):
                throw new UserErrorException(
                    $"stage {stage} needs run input {input.Pattern}; "
                        + $"given are {string.Join(", ", inputs.Keys.Order(StringComparer.Ordinal).Take(8))}"
                );
            case InputSource.StageOutput output when !earlier.Contains(output.Stage):
                throw new UserErrorException($"stage {stage} uses outputs of {output.Stage}, which is not an earlier stage of the plan");
        }
    }
}
