using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Hosting.Worker;

/// <summary>What this process computes with.</summary>
public sealed class WorkerTraits(IEnumerable<DeviceProbe> probes) : IComputeTraits
{
    /// <summary>Version of ClipSae, as telemetry and workers name it.</summary>
    public static string Software { get; } =
        typeof(WorkerTraits).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? "unknown";

    /// <summary>Kind of processor with the widest instructions that libtorch chooses its kernels by.</summary>
    public static string Processor { get; } =
        RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()
        + (
            Avx512F.IsSupported ? " avx512"
            : Avx2.IsSupported ? " avx2"
            : ""
        );

    public ComputeTraits Of(JsonObject parameters) =>
        new(Software, Threads, Processor, parameters["device"]?.GetValue<string>().Split(':')[0] ?? "cpu");

    /// <summary>Threads of tensor work; 1 where nothing is computed.</summary>
    public int Threads => probes.FirstOrDefault()?.Threads?.Invoke() ?? 1;
}
