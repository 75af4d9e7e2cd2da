namespace ClipSae.Clip.Training;

/// <summary>
/// The order of parameters in a flat buffer: group by group, then those that are not trained. Within a group the same parameter of every
/// block stands side by side, so that one operation reaches all of them.
/// </summary>
public sealed class ParameterLayout
{
    /// <summary>Every parameter begins at a multiple of this, for the widest loads.</summary>
    internal const long Alignment = 64;

    private readonly Dictionary<string, ParameterPlace> _places = new(StringComparer.Ordinal);

    internal ParameterLayout(IEnumerable<(string Name, long[] Shape)> parameters, IReadOnlyList<IReadOnlyList<string>> groups)
    {
        var shapes = parameters.ToDictionary(p => p.Name, p => p.Shape, StringComparer.Ordinal);
        var trained = groups.SelectMany(group => group).ToHashSet(StringComparer.Ordinal);
        var ranges = new List<(long, long)>();
        foreach (var group in groups)
        {
            var start = Length;
            Add(group, shapes);
            ranges.Add((start, Length - start));
        }

        TrainedLength = Length;
        Groups = ranges;
        Add(shapes.Keys.Where(name => !trained.Contains(name)), shapes);
    }

    /// <summary>In the buffer's order.</summary>
    public IReadOnlyCollection<ParameterPlace> Places => _places.Values;

    /// <summary>Start and length of each group, as they were given.</summary>
    public IReadOnlyList<(long Start, long Length)> Groups { get; }

    /// <summary>Elements of the buffer.</summary>
    public long Length { get; private set; }

    /// <summary>Elements, from the first on, that hold trained parameters.</summary>
    public long TrainedLength { get; }

    public ParameterPlace this[string name] => _places[name];

    /// <summary>Whether a parameter is in one of the groups.</summary>
    public bool IsTrained(ParameterPlace place) => place.End <= TrainedLength;

    /// <summary>The key without its block's number.</summary>
    internal static string KindOf(string name) =>
        string.Concat(name.Split('.').Where(part => !int.TryParse(part, out _)).Select(part => "." + part));

    private void Add(IEnumerable<string> names, Dictionary<string, long[]> shapes)
    {
        foreach (
            var name in names
                .OrderBy(KindOf, StringComparer.Ordinal)
                .ThenBy(name => name.Length)
                .ThenBy(name => name, StringComparer.Ordinal)
        )
        {
            var place = new ParameterPlace(name, shapes[name], Length);
            _places.Add(name, place);
            Length = (place.End + Alignment - 1) / Alignment * Alignment;
        }
    }
}
