using System.Globalization;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch.nn.functional;

namespace ClipSae.Benchmarks;

/// <summary>
/// Images to embeddings with the ViT-L/14 shape and random weights, whole model, against the rate of a 4096³ matrix product
/// of the same type. The product is timed before and after each forward pass, so that both see the same machine; the ratio is
/// the median over the rounds. Then a race against ONNX Runtime on our own export, and what each kind of operation takes, timed alone at
/// the shapes of one block.
/// </summary>
internal sealed class ExtractionBenchmark : IBenchmark
{
    /// <summary>FLOP of one image when every token passes every block (science, section 1).</summary>
    private const double FlopPerImage = 162e9;

    private const int GemmSide = 4096;

    private static readonly ClipArchitecture Shape = ClipArchitecture.VitL14 with { TextLayers = 1 };

    public string Verb => "extraction";

    public string Summary =>
        "ViT-L/14 forward against the GEMM rate, float32 and bfloat16, and against ONNX Runtime [batch 8] [rounds 5] [threads 2]";

    /// <summary>FLOP that the plan does: in the last block only the class token asks, is projected and passes the MLP.</summary>
    private static double FlopDone =>
        FlopPerImage
        - (
            (Shape.VisionTokens - 1) * ((2.0 * 10 * Shape.VisionWidth * Shape.VisionWidth) + (4.0 * Shape.VisionTokens * Shape.VisionWidth))
        );

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        int Option(int index, int otherwise) => options.Count > index ? int.Parse(options[index], CultureInfo.InvariantCulture) : otherwise;
        var (batch, rounds) = (Option(0, 8), Option(1, 5));
        Compute.UseThreads(Option(2, 2));
        using var mode = torch.inference_mode();
        using var model = ClipModel.Initialize(Shape, 1);
        var table = new MarkdownTable(
            "type",
            "GEMM GFLOP/s",
            "the same by mm",
            "at 162 GFLOP an image",
            "ratio",
            "work really done",
            "images/s",
            "cosine to float32"
        );
        var shares = new MarkdownTable("operation, ms of one block", "float32", "bfloat16");
        using var scope = torch.NewDisposeScope();
        var images = torch.randn(batch, 3, 224, 224);
        torch.Tensor? reference = null;
        var columns = new List<(string Name, double Seconds)[]>();
        foreach (var type in new[] { torch.float32, torch.bfloat16 })
        {
            using var plan = VisionPlan.Compile(model, type);
            var features = plan.EncodeImage(images).to(torch.float32);
            reference ??= features;
            var input = images.to(type);
            var (a, b) = (torch.randn(GemmSide, GemmSide, dtype: type), torch.randn(GemmSide, GemmSide, dtype: type));
            void Gemm() => LinearLayer.Apply(a, b).Dispose();
            var seconds = Measure.Interleaved(rounds, Gemm, () => plan.EncodeImage(input).Dispose(), Gemm, () => a.mm(b).Dispose());
            var gemm = Enumerable.Range(0, rounds).Select(i => 4 * Math.Pow(GemmSide, 3) / (seconds[0][i] + seconds[2][i]) / 1e9).ToArray();
            var rate = seconds[1].Select(s => batch * FlopPerImage / s / 1e9).ToArray();
            var ratio = Measure.Median(rate.Zip(gemm, (r, g) => r / g));
            table.Add(
                type.ToString(),
                Text(Measure.Median(gemm)),
                Text(Measure.Median(seconds[3].Select(s => 2 * Math.Pow(GemmSide, 3) / s / 1e9))),
                Text(Measure.Median(rate)),
                Percent(ratio),
                Percent(ratio * FlopDone / FlopPerImage),
                Text(batch / Measure.Median(seconds[1]), "F2"),
                Text(cosine_similarity(features, reference, 1).min().item<float>(), "F5")
            );
            columns.Add(Operations(batch, rounds, type));
        }

        var peer = Race(model, images, reference!, rounds);

        for (var i = 0; i < columns[0].Length; i++)
        {
            shares.Add(columns[0][i].Name, Text(columns[0][i].Seconds * 1000, "F1"), Text(columns[1][i].Seconds * 1000, "F1"));
        }

        output.WriteLine($"ViT-L/14 vision tower, batch {batch}, {torch.get_num_threads()} threads, median of {rounds} rounds");
        table.Print(output);
        peer.Print(output);
        shares.Print(output);
    }

    // The same images through our plan and through ONNX Runtime on our own export, in turns.
    private static MarkdownTable Race(ClipModel model, torch.Tensor images, torch.Tensor reference, int rounds)
    {
        using var scope = torch.NewDisposeScope();
        using var plan = VisionPlan.Compile(model, torch.float32);
        using var onnx = new OnnxPeer(model);
        var cosine = cosine_similarity(onnx.EncodeImage(images), reference, 1).min().item<float>();
        var seconds = Measure.Interleaved(rounds, () => plan.EncodeImage(images).Dispose(), () => onnx.EncodeImage(images).Dispose());
        var table = new MarkdownTable("float32, the same threads", "images/s", "of ONNX Runtime's");
        table.Add(
            "ClipSae",
            Text(images.shape[0] / Measure.Median(seconds[0]), "F2"),
            Text(Measure.Median(seconds[1].Zip(seconds[0], (theirs, ours) => theirs / ours)), "F2") + " ×"
        );
        table.Add(
            $"ONNX Runtime on ClipSae's export (least cosine {Text(cosine, "F6")})",
            Text(images.shape[0] / Measure.Median(seconds[1]), "F2"),
            "1.00 ×"
        );
        return table;
    }

    private static (string Name, double Seconds)[] Operations(int batch, int rounds, torch.ScalarType type)
    {
        using var scope = torch.NewDisposeScope();
        var (rows, width) = ((long)batch * Shape.VisionTokens, Shape.VisionWidth);
        var x = torch.randn(rows, width, dtype: type);
        var wide = torch.randn(rows, 4 * width, dtype: type);
        var fused = torch.randn([batch, Shape.VisionTokens, 3, Shape.VisionHeads, ClipArchitecture.HeadWidth], dtype: type);
        torch.Tensor Weight(long output, long input) => torch.randn(output, input, dtype: type) * 0.01;
        var (inProj, outProj, fc, proj) = (
            Weight(3 * width, width),
            Weight(width, width),
            Weight(4 * width, width),
            Weight(width, 4 * width)
        );
        (string, Action)[] operations =
        [
            ("in_proj", () => LinearLayer.Apply(x, inProj)),
            ("fused attention", () => scaled_dot_product_attention(Head(fused, 0), Head(fused, 1), Head(fused, 2))),
            ("out_proj", () => LinearLayer.Apply(x, outProj)),
            ("c_fc", () => LinearLayer.Apply(x, fc)),
            ("QuickGELU as silu", () => wide.silu_()),
            ("QuickGELU as written", () => _ = wide * torch.sigmoid(wide * 1.702)),
            ("c_proj", () => LinearLayer.Apply(wide, proj)),
            ("LayerNorm", () => layer_norm(x, [width])),
        ];
        var seconds = Measure.Interleaved(
            rounds,
            [
                .. operations.Select(o =>
                    (Action)(
                        () =>
                        {
                            using var inner = torch.NewDisposeScope();
                            o.Item2();
                        }
                    )
                ),
            ]
        );
        return [.. operations.Select((o, i) => (o.Item1, Measure.Median(seconds[i])))];
    }

    private static torch.Tensor Head(torch.Tensor fused, int index) => fused.select(2, index).transpose(1, 2);

    private static string Text(double value, string format = "F0") => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Percent(double value) => value.ToString("P1", CultureInfo.InvariantCulture);
}
