using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace ClipSae.Reporting;

/// <summary>Names and versions of what computes here.</summary>
public static class SoftwareVersions
{
    public static IReadOnlyList<KeyValuePair<string, string>> Here() =>
        [
            KeyValuePair.Create(
                "ClipSae",
                Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
                    ?? "unknown"
            ),
            KeyValuePair.Create(".NET", RuntimeInformation.FrameworkDescription),
            KeyValuePair.Create("System", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}"),
            KeyValuePair.Create("Processors", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
        ];
}
