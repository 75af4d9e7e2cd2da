namespace ClipSae.Hosting.Runs;

/// <summary>What became of the wish to continue with a run.</summary>
public enum ResumeOutcome
{
    /// <summary>This process works on it.</summary>
    Resumed,

    /// <summary>Another process works on it.</summary>
    WorkedOnElsewhere,

    /// <summary>It had ended already.</summary>
    Ended,
}
