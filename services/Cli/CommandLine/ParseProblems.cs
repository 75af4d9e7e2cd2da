using System.CommandLine;
using System.CommandLine.Parsing;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Cli.CommandLine;

/// <summary>Says in one line what is wrong with a command line, and what was probably meant.</summary>
internal static class ParseProblems
{
    /// <summary>The line, or null where the command line is sound.</summary>
    public static string? Describe(ParseResult result)
    {
        if (result.Errors.Count == 0)
        {
            return null;
        }

        var command = result.CommandResult.Command;
        var isRoot = command is RootCommand;
        if (result.UnmatchedTokens.Count > 0)
        {
            var given = result.UnmatchedTokens[0];
            if (given.StartsWith('-'))
            {
                return See(
                    $"unknown option {given}{(isRoot ? "" : $" for '{command.Name}'")}: {Suggest(given, OptionNames(result))}",
                    command
                );
            }

            return isRoot
                ? See($"unknown verb '{given}': {Suggest(given, command.Subcommands.Select(verb => verb.Name))}", command)
                : See($"'{command.Name}' takes no argument '{given}'", command);
        }

        return See(isRoot ? "say what to do, for example 'clipsae demo'" : Plain(result.Errors.MinBy(Order)!), command);
    }

    private static string Suggest(string given, IEnumerable<string> names) => NearMatches.Describe(given, names);

    private static IEnumerable<string> OptionNames(ParseResult result)
    {
        var own = result.CommandResult.Command.Options.Concat(GlobalOptions.All);
        return own.Where(option => !option.Hidden).Select(option => option.Name).Distinct();
    }

    private static string See(string problem, Command command)
    {
        var help = command is RootCommand ? "'clipsae --help'" : $"'clipsae {command.Name} --help'";
        return problem.EndsWith('?') ? $"{problem} See {help}" : $"{problem}; see {help}";
    }

    // What was typed too often first, then arguments, as they come first in the usage line; the library starts with options that are
    // required.
    private static int Order(ParseError error) =>
        error.SymbolResult switch
        {
            OptionResult option when IsRepeated(option) => 0,
            OptionResult => 2,
            _ => 1,
        };

    private static bool IsRepeated(OptionResult result) =>
        result.IdentifierTokenCount > 1 && result.Option.Arity.MaximumNumberOfValues <= 1;

    // The library names .NET types and ends its messages with a full stop; neither says anything to a user.
    private static string Plain(ParseError error)
    {
        var given = error.SymbolResult?.Tokens.Count > 0 ? error.SymbolResult.Tokens[^1].Value : "";
        return error.SymbolResult switch
        {
            OptionResult { Option: var option, IdentifierTokenCount: 0 } => $"option {option.Name} is required",
            // The library says only that there are too many values, or that they cannot be read as one.
            OptionResult { IdentifierTokenCount: var times } repeated when IsRepeated(repeated) =>
                $"option {repeated.Option.Name} is given {(times == 2 ? "twice" : $"{times} times")} "
                    + $"({string.Join(", ", repeated.Tokens.Select(token => $"'{token.Value}'"))}): give it once",
            OptionResult { Option: var option } when given.Length == 0 => $"option {option.Name} needs a value{Expected(option.ValueType)}",
            OptionResult { Option: var option } when IsNumber(option.ValueType) =>
                $"option {option.Name} cannot take '{given}': expected{Expected(option.ValueType)[1..]}",
            OptionResult { Option: var option } when Choices(option) is { Count: > 0 } choices =>
                $"option {option.Name} cannot take '{given}': {NearMatches.Describe(given, choices)}",
            CommandResult { Command: var command } when error.Message.StartsWith("Required argument", StringComparison.Ordinal) =>
                $"'{command.Name}' needs an argument",
            ArgumentResult { Argument: var argument } when given.Length == 0 => $"<{argument.Name}> is missing",
            _ => error.Message.ReplaceLineEndings(" ").TrimEnd('.', ' '),
        };
    }

    // Names as users write them; parsing takes any case.
    private static IReadOnlyList<string> Choices(Option option) =>
        option is PrecisionOption ? PrecisionOption.Choices
        : (Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType) is { IsEnum: true } choice
            ? [.. Enum.GetNames(choice).Select(name => name.ToLowerInvariant())]
        : [];

    private static bool IsNumber(Type type) => Expected(type).Length > 0;

    private static string Expected(Type type)
    {
        var number = Nullable.GetUnderlyingType(type) ?? type;
        return number == typeof(int) || number == typeof(long) || number == typeof(long[]) || number == typeof(int[]) ? ", a whole number"
            : number == typeof(double) ? ", a number"
            : "";
    }
}
