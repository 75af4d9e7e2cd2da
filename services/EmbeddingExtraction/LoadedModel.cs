using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.EmbeddingExtraction;

/// <summary>
/// A model in float32, its vision tower compiled for the precision that is computed in, and on a GPU the memory of the batches on their
/// way.
/// </summary>
internal sealed class LoadedModel : IDisposable
{
    private readonly List<DeviceSlot> _slots = [];
    private string _slotsOf = "";

    private LoadedModel(ClipModel model, VisionPlan plan, torch.Device device) => (Model, Plan, Device) = (model, plan, device);

    public ClipModel Model { get; }

    public VisionPlan Plan { get; }

    public torch.Device Device { get; }

    public static LoadedModel Load(string weights, string device, Precision compute)
    {
        var target = Compute.Device(device);
        var model = ClipModel.Load(weights, target);
        try
        {
            return new LoadedModel(model, VisionPlan.Compile(model, compute.Type()), target);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Slots for batches of this size; the same for the next shard that asks alike, since page-locked memory is slow to get.
    /// </summary>
    public IReadOnlyList<DeviceSlot> Slots(int batch, IReadOnlyList<(HookPoint Point, ActivationFile File)> outputs)
    {
        var wanted = $"{batch} {string.Join(' ', outputs.Select(o => $"{o.Point} {o.File.RowsPerImage} {o.File.Type}"))}";
        if (wanted != _slotsOf)
        {
            FreeSlots();
            for (var i = 0; i < DeviceSlot.Round; i++)
            {
                _slots.Add(new DeviceSlot(batch, outputs, Model.Architecture, Device));
            }

            _slotsOf = wanted;
        }

        return _slots;
    }

    /// <summary>
    /// Smallest cosine of the first pictures' embeddings to those of the model in float32, a scalar on the device; null where
    /// <paramref name="compute"/> is float32.
    /// </summary>
    /// <param name="images">A batch as the plan took it.</param>
    /// <param name="hooks">What was captured of it.</param>
    public torch.Tensor? CosineToFloat32(torch.Tensor images, Hooks hooks, Precision compute)
    {
        if (compute == Precision.Float32)
        {
            return null;
        }

        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        var count = Math.Min(images.shape[0], EmbeddingExtractionStage.ImagesToCompare);
        var some = images.narrow(0, 0, count);
        var embedding = new HookPoint.ImageEmbedding();
        var features = hooks.Points.Contains(embedding) ? hooks.Captured(embedding).narrow(0, 0, count) : Plan.EncodeImage(some);
        var normalized =
            some.dtype == torch.ScalarType.Byte
                ? Model.Architecture.Family.Normalization.Apply(some.permute(0, 3, 1, 2).contiguous())
                : some;
        return torch
            .nn.functional.cosine_similarity(features.to(torch.float32), Model.EncodeImage(normalized), 1)
            .min()
            .MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        FreeSlots();
        Plan.Dispose();
        Model.Dispose();
    }

    private void FreeSlots()
    {
        _slots.ForEach(slot => slot.Dispose());
        _slots.Clear();
        _slotsOf = "";
    }
}
