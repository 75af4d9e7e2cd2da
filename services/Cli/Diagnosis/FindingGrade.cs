namespace ClipSae.Cli.Diagnosis;

/// <summary>How a check of the machine went.</summary>
internal enum FindingGrade
{
    Ok,
    Warn,
    Fail,
}
