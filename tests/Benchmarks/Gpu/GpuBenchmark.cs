using System.Globalization;
using ClipSae.Tensors;
using ClipSae.Tensors.Installation;
using TorchSharp;

namespace ClipSae.Benchmarks.Gpu;

/// <summary>
/// What a card gives, work by work, beside the same work in PyTorch on the same card (<c>peers.py</c>, by the python3 of the machine) and
/// beside what the card allows: one table.
/// </summary>
internal sealed class GpuBenchmark : IBenchmark
{
    private static readonly IGpuWork[] Works =
    [
        new TowerWork(),
        new ExtractionWork(),
        new AblationWork(),
        new SaeWork(),
        new TuningWork(),
        new EvaluationWork(),
    ];

    public string Verb => "gpu";

    public string Summary =>
        "a card's work beside PyTorch's: "
        + $"[--device cuda:0] [--tiny] [--without-peers] [{string.Join(" | ", Works.Select(work => work.Name))} ...]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        var (name, scale, chosen, withPeers) = Read(options);
        torch.Device device;
        try
        {
            device = Compute.Device(name);
        }
        catch (UserErrorException error) when (options.Count == 0)
        {
            output.WriteLine($"gpu: skipped, {error.Message}");
            return;
        }

        output.WriteLine(Machine(device));

        // First and by itself, so that neither takes the card's memory or time from the other.
        var peers = withPeers
            ? PyTorchPeers.Run(name, scale, ["gemm", .. chosen.Select(work => work.Name)], output)
            : new Dictionary<string, double>();
        var metrics = new List<GpuFigure>();
        void Add(GpuFigure metric)
        {
            metrics.Add(metric);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{metric.Key}: {Text(metric.Value)} {metric.Unit}"));
            output.Flush();
        }

        var peak = Peak(device, scale, Add);
        foreach (var work in chosen)
        {
            foreach (var metric in work.Measure(device, scale, peak))
            {
                Add(metric);
            }
        }

        output.WriteLine();
        Table(metrics, peers).Print(output);
    }

    private static (string Device, GpuScale Scale, IGpuWork[] Chosen, bool WithPeers) Read(IReadOnlyList<string> options)
    {
        var (device, tiny, peers, names) = ("cuda:0", false, true, new List<string>());
        for (var i = 0; i < options.Count; i++)
        {
            switch (options[i])
            {
                case "--device" when i + 1 < options.Count:
                    device = options[++i];
                    break;
                case "--tiny":
                    tiny = true;
                    break;
                case "--without-peers":
                    peers = false;
                    break;
                case var name when Works.Any(work => work.Name == name):
                    names.Add(name);
                    break;
                case var other:
                    throw new UserErrorException(
                        $"gpu: {other} is no option and no work; works are {string.Join(", ", Works.Select(work => work.Name))}"
                    );
            }
        }

        return (device, new GpuScale(tiny), names.Count == 0 ? Works : [.. Works.Where(work => names.Contains(work.Name))], peers);
    }

    private static string Machine(torch.Device device)
    {
        var card = CudaCards.All().FirstOrDefault(card => device.type == DeviceType.CUDA && card.Index == device.index);
        var version = CudaCards.DriverVersion;
        return $"{card?.Name ?? "CPU"}, driver {(version is null ? "none" : $"for CUDA {version / 1000}.{version % 1000 / 10}")}, "
            + $"{Environment.ProcessorCount} cores, {Libtorch.InUse?.ToString() ?? $"libtorch {torch.__version__} as bundled"}";
    }

    private static GemmPeak Peak(torch.Device device, GpuScale scale, Action<GpuFigure> add)
    {
        double Rate(torch.ScalarType type)
        {
            var side = scale.GemmSide;
            using var a = torch.randn([side, side], dtype: type, device: device);
            using var b = torch.randn([side, side], dtype: type, device: device);
            var rate = 2 * Math.Pow(side, 3) / Timing.Seconds(device, scale.Rounds, 4, () => a.mm(b).Dispose());
            add(new GpuFigure($"gemm/{(type == torch.float32 ? "float32" : "bfloat16")}", rate / 1e12, "TFLOP/s"));
            return rate;
        }

        return new GemmPeak(Rate(torch.float32), Rate(torch.bfloat16));
    }

    private static MarkdownTable Table(List<GpuFigure> metrics, IReadOnlyDictionary<string, double> peers)
    {
        var table = new MarkdownTable("work", "unit", "ClipSae", "PyTorch", "ratio", "the machine allows", "of it");
        foreach (var metric in metrics)
        {
            var has = peers.TryGetValue(metric.Key, out var peer);
            table.Add(
                metric.Key,
                metric.Unit,
                Text(metric.Value),
                has ? Text(peer) : "–",
                has ? (metric.Value / peer).ToString("F2", CultureInfo.InvariantCulture) : "–",
                metric.Allowed is { } allowed ? Text(allowed) : "–",
                metric.Allowed is { } most ? (metric.Value / most).ToString("P0", CultureInfo.InvariantCulture) : "–"
            );
        }

        return table;
    }

    private static string Text(double value) => value.ToString(value < 100 ? "F2" : "N0", CultureInfo.InvariantCulture);
}
