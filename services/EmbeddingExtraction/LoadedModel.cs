using ClipSae.Clip;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>A model in float32 and its vision tower compiled for the precision that is computed in.</summary>
internal sealed class LoadedModel : IDisposable
{
    private LoadedModel(ClipModel model, VisionPlan plan) => (Model, Plan) = (model, plan);

    public ClipModel Model { get; }

    public VisionPlan Plan { get; }

    public static LoadedModel Load(string weights, string device, ComputePrecision compute)
    {
        var model = ClipModel.Load(weights, Compute.Device(device));
        try
        {
            return new LoadedModel(model, VisionPlan.Compile(model, compute == ComputePrecision.Bfloat16 ? torch.bfloat16 : torch.float32));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Plan.Dispose();
        Model.Dispose();
    }
}
