using System.Globalization;
using System.Text;
using ClipSae.Artifacts;

namespace ClipSae.Cli.Output;

/// <summary>A table as CSV (RFC 4180), numbers with a point and all their digits; written whole or not at all.</summary>
internal sealed class CsvTable
{
    private readonly StringBuilder _text = new();

    public CsvTable(params ReadOnlySpan<string> columns) => Add([.. columns]);

    public void Add(params ReadOnlySpan<object?> fields)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            _text.Append(i == 0 ? "" : ",").Append(Field(fields[i]));
        }

        _text.Append("\r\n");
    }

    /// <exception cref="Contracts.UserErrorException">The file cannot be written.</exception>
    public void Save(string path) => AtomicFile.Write(path, Encoding.UTF8.GetBytes(_text.ToString()));

    private static string Field(object? value)
    {
        var text = value switch
        {
            null => "",
            bool truth => truth ? "true" : "false",
            double number => number.ToString("R", CultureInfo.InvariantCulture),
            IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
