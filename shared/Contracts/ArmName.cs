namespace ClipSae.Contracts;

/// <summary>
/// How arms of fine-tuning are named, in parameters, results and reports: a random control by the arm it belongs to and a suffix.
/// </summary>
public static class ArmName
{
    public const string ControlSuffix = "-random";

    /// <summary>The control of an arm.</summary>
    public static string ControlOf(string arm) => arm + ControlSuffix;

    /// <summary>Whether an arm is a random control.</summary>
    public static bool IsControl(string? arm) => arm?.EndsWith(ControlSuffix, StringComparison.Ordinal) == true;

    /// <summary>The arm that a control belongs to; an arm that is no control is its own.</summary>
    public static string Informed(string arm) => IsControl(arm) ? arm[..^ControlSuffix.Length] : arm;
}
