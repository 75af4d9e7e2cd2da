using System.Runtime.CompilerServices;

namespace ClipSae.Contracts;

/// <summary>The message of an error that may not have occurred: what is interpolated is evaluated only if it has.</summary>
[InterpolatedStringHandler]
public ref struct ProblemMessage
{
    private DefaultInterpolatedStringHandler _text;

    public ProblemMessage(int literalLength, int formattedCount, bool isProblem, out bool isWritten)
    {
        isWritten = isProblem;
        _text = isProblem ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value, string? format = null) => _text.AppendFormatted(value, format);

    public string ToStringAndClear() => _text.ToStringAndClear();
}
