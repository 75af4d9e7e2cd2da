namespace ClipSae.Benchmarks;

/// <summary>One benchmark: a verb of the program and a table as its result.</summary>
internal interface IBenchmark
{
    /// <summary>The verb, for example <c>extraction</c>.</summary>
    string Verb { get; }

    /// <summary>One line for the list of verbs.</summary>
    string Summary { get; }

    /// <param name="options">The words after the verb.</param>
    void Run(IReadOnlyList<string> options, TextWriter output);
}
