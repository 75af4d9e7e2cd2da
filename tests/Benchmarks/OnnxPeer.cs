using ClipSae.Clip.Model;
using ClipSae.Tensors;
using ClipSae.WeightConversion;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace ClipSae.Benchmarks;

/// <summary>ONNX Runtime with the image encoder that our own export gives, on as many threads as libtorch has.</summary>
internal sealed class OnnxPeer : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("onnx-peer").FullName;
    private readonly InferenceSession _session;

    public OnnxPeer(ClipModel model)
    {
        var path = Path.Combine(_folder, "model.safetensors");
        model.Save(path);
        WeightConverter.Convert(new ConversionSource(path, "model"), _folder, [new OnnxTarget()], Precision.Float32);
        using var options = new SessionOptions
        {
            IntraOpNumThreads = torch.get_num_threads(),
            InterOpNumThreads = 1,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        _session = new InferenceSession(Path.Combine(_folder, "onnx", "image_encoder.onnx"), options);
    }

    /// <summary>Image features, not normalised [batch, embed], of images [batch, 3, R, R], float32.</summary>
    public torch.Tensor EncodeImage(torch.Tensor images)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(images.data<float>().ToArray(), images.shape);
        using var run = new RunOptions();
        using var results = _session.Run(run, new Dictionary<string, OrtValue> { ["pixel_values"] = input }, ["image_features"]);
        return torch.tensor(results[0].GetTensorDataAsSpan<float>().ToArray(), results[0].GetTensorTypeAndShape().Shape);
    }

    public void Dispose()
    {
        _session.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
