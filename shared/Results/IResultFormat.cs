namespace ClipSae.Results;

/// <summary>A stored format, for whoever lists all.</summary>
public interface IResultFormat
{
    /// <summary>Wire name and version, for example <c>salient/1</c>.</summary>
    string Name { get; }

    string MediaType { get; }

    /// <summary>The record that it stores.</summary>
    Type Type { get; }
}
