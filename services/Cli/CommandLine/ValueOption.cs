using System.CommandLine;

namespace ClipSae.Cli.CommandLine;

/// <summary>An option with a value.</summary>
internal sealed class ValueOption<T> : Option<T>
{
    /// <param name="name">The option, with its dashes.</param>
    /// <param name="value">What <c>--help</c> calls the value.</param>
    /// <param name="description">What it is for.</param>
    public ValueOption(string name, string value, string description)
        : base(name)
    {
        HelpName = value;
        Description = description;
    }

    /// <inheritdoc cref="ValueOption{T}(string, string, string)"/>
    /// <param name="fallback">The value where none is given.</param>
    public ValueOption(string name, string value, string description, T fallback)
        : this(name, value, description)
    {
        DefaultValueFactory = _ => fallback;
    }
}
