using System.CommandLine;

namespace ClipSae.Cli.CommandLine;

/// <summary>One verb of the command: its arguments, its examples and what it does.</summary>
internal abstract class Verb : Command
{
    protected Verb(string name, string description, params string[] examples)
        : base(name, description)
    {
        Examples = examples;
        SetAction((_, _) => throw new InvalidOperationException("Application runs verbs itself"));
    }

    /// <summary>Command lines shown by <c>--help</c>.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>
    /// Whether it computes with tensors, so that the device and the libtorch which were asked for are readied before it begins.
    /// </summary>
    public virtual bool Computes => true;

    /// <summary>Does the work and returns the exit code.</summary>
    /// <exception cref="WrongUseException">The arguments cannot be carried out.</exception>
    /// <exception cref="Contracts.UserErrorException">Something the user can fix went wrong.</exception>
    public abstract Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel);

    /// <summary>Adds arguments and options, in the order in which <c>--help</c> lists them.</summary>
    protected void Add(params IEnumerable<Symbol> symbols)
    {
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                Arguments.Add(argument);
            }
            else
            {
                Options.Add((Option)symbol);
            }
        }
    }
}
