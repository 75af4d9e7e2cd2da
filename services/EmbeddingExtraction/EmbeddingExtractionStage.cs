using System.Formats.Tar;
using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets.Shards;
using ClipSae.Imaging.Decoding;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Extraction;
using ClipSae.Tensors;
using Microsoft.Extensions.Logging;

namespace ClipSae.EmbeddingExtraction;

/// <summary>
/// Runs one shard of a data set (input <c>shard</c>) through a CLIP (input <c>model</c>): its images through the vision tower and, where a
/// hook point of the text tower is named, their captions through that one (input <c>tokenizer</c>). Outputs: one safetensors file a hook
/// point under the point's name, for example <c>mlp@0</c> (layout: <see cref="ActivationFile"/>, <see cref="CaptionFile"/>), and
/// <c>ids</c>, JSON with the ids that <c>image_index</c> counts in and the images that could not be read.
/// </summary>
public sealed class EmbeddingExtractionStage(TimeProvider time) : IStage, IDisposable
{
    /// <summary>Images of a shard on which another precision is compared with float32.</summary>
    public const int ImagesToCompare = 4;

    private const int NamedInErrors = 3;

    private readonly ModelBetweenShards _models = new(time);

    public string Name => ParameterSections.Extraction;

    public bool MayHalveBatches => true;

    public string WhenMemoryIsShort =>
        "not even one image fits next to the model: set extraction.compute to bfloat16, or choose another device";

    public int AlgorithmVersion => 5;

    public JsonObject Normalize(JsonObject parameters) =>
        StageParameters.Normalize<ExtractionOptions>(parameters, Name, options => options.Validate());

    /// <summary>What decodes pictures.</summary>
    public JsonObject OfMachine(JsonObject parameters) => ImageDecoding.OfMachine();

    public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
    {
        var options = context.Options<ExtractionOptions>();
        options = options with
        {
            BatchSize =
                options.BatchSize > 0 || context.Halvings > 0
                    ? context.Smaller(options.BatchSize > 0 ? options.BatchSize : ExtractionOptions.MaxBatch)
                    : 0,
        };
        var shard = await context.FetchAsync(InputNames.Shard, cancel);
        var weights = await context.FetchAsync(InputNames.Model, cancel);
        var tokenizer = options.HookPoints.Any(point => HookPoint.Parse(point).IsText)
            ? ClipTokenizer.Load(await context.FetchAsync(InputNames.Tokenizer, cancel))
            : null;
        var key = $"{context.Inputs[InputNames.Model].Digest} {options.Compute}";
        var place = Compute.Device(options.Device).ToString(); // of several cards the one that this unit has
        var model = _models.Take(place, key) ?? LoadedModel.Load(weights, options.Device, options.Compute);
        ExtractionResult result;
        try
        {
            var total = CountItems(shard);
            result = await new ActivationExtractor(model, options).Run(
                DatasetShard.Read(shard),
                total,
                context.Scratch,
                done => context.Progress.Report(new StageProgress(done, total, "images")),
                cancel
            );
            Check(result, options, context);
            if (tokenizer is not null)
            {
                var captions = DatasetShard.ReadItems(shard).ToDictionary(item => item.Id, item => item.Captions, StringComparer.Ordinal);
                var ofTexts = new CaptionExtractor(model, tokenizer, options).Run(
                    result.Ids,
                    captions,
                    context.Scratch,
                    (done, all) => context.Progress.Report(new StageProgress(done, all, "captions")),
                    cancel
                );
                result = result with { Files = [.. result.Files, .. ofTexts] };
            }
        }
        catch
        {
            model.Dispose(); // whatever happened may have to do with it
            throw;
        }

        _models.Keep(place, key, model);

        var outputs = new Dictionary<string, ArtifactRef>();
        foreach (var file in result.Files)
        {
            outputs[file.Point.ToString()] = await context.Artifacts.TakeFileAsync(
                file.Path,
                $"{context.Unit}.{Path.GetFileName(file.Path)}",
                MediaTypes.Safetensors,
                cancel
            );
        }

        outputs[OutputNames.Ids] = await context.Artifacts.PutBytesAsync(
            ResultFormats.ShardImages.Write(Images(result)),
            $"{context.Unit}.ids.json",
            ResultFormats.ShardImages.MediaType,
            cancel
        );
        return new StageResult(outputs, ResultFormats.ExtractionMetrics.ToJson(Metrics(result)));
    }

    public void Dispose() => _models.Dispose();

    private static void Check(ExtractionResult result, ExtractionOptions options, StageContext context)
    {
        foreach (var (id, problem) in result.Unreadable)
        {
            context.Log.LogWarning("{Unit}: {Image} cannot be read: {Problem}", context.Unit, id, problem);
        }

        var total = result.Ids.Count + result.Unreadable.Count;
        UserErrorException.ThrowIf(total == 0, $"shard {context.Unit} contains no images; import the data set again");

        if (result.Ids.Count == 0 || result.Unreadable.Count > options.MaxUnreadableShare * total)
        {
            var some = string.Join(", ", result.Unreadable.Take(NamedInErrors).Select(u => $"{u.Key} ({u.Value})"));
            throw new UserErrorException(
                $"shard {context.Unit}: {result.Unreadable.Count} of {total} images cannot be read, for example {some}; "
                    + "fix them or raise extraction.maxUnreadableShare"
            );
        }
    }

    private static ShardImages Images(ExtractionResult result) =>
        new(result.Ids, [.. result.Unreadable.Select(unreadable => new UnreadableImage(unreadable.Key, unreadable.Value))]);

    private static ExtractionMetrics Metrics(ExtractionResult result) =>
        new(
            result.Ids.Count,
            result.Unreadable.Count,
            result.Files.ToDictionary(
                file => file.Point.ToString(),
                file => new ActivationShape(file.Rows, file.Width),
                StringComparer.Ordinal
            )
        )
        {
            CosineToFloat32 = result.ComputeCosine,
        };

    /// <summary>Counts by the tar headers alone, for the progress bar; a damaged file is reported when it is read.</summary>
    private static int CountItems(string shard)
    {
        try
        {
            using var stream = File.OpenRead(shard);
            using var reader = new TarReader(stream);
            var entries = 0;
            while (reader.GetNextEntry() is not null)
            {
                entries++;
            }

            return entries / 2;
        }
        catch (Exception failure) when (failure is InvalidDataException or EndOfStreamException or FormatException)
        {
            return 0;
        }
    }
}
