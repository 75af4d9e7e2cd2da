using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Tokenizers;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Conversion;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion;

/// <summary>
/// Turns one tuned checkpoint (input <c>model</c>; its scores from <c>curves</c>, where they are given) into plain weights under OpenAI's
/// keys, or transformers' of a SigLIP (output <c>model</c>) and the other formats that are asked for (outputs <c>files/…</c>, with model
/// card and provenance; where an adapter was trained on the input <c>base</c>, that in PEFT's format too), each proved equal by a forward
/// pass of what was written (output <c>proof</c>).
/// </summary>
public sealed class WeightConversionStage : IStage
{
    public string Name => ParameterSections.Conversion;

    public int AlgorithmVersion => 7;

    public JsonObject Normalize(JsonObject parameters)
    {
        var options = StageParameters.Bind<ConversionOptions>(parameters, Name);
        options.Validate();
        return JsonSerializer.SerializeToNode(options with { Tolerance = options.EffectiveTolerance }, ContractJson.Options)!.AsObject();
    }

    public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
    {
        var options = context.Options<ConversionOptions>();
        var input = context.Input(InputNames.Model);
        var source = new ConversionSource(await context.FetchAsync(InputNames.Model, cancel), $"{context.Unit} ({input.Name})")
        {
            Digest = input.Digest,
            Measured = context.Inputs.ContainsKey(OutputNames.Curves)
                ? MeasuredAccuracy.Of(
                    await ResultFormats.Curves.ReadAsync(context.Input(OutputNames.Curves), context.Artifacts.FetchAsync, cancel)
                )
                : [],
        };
        var (plain, weights) = ConversionTarget.PlainOf(FamilyOf(source));
        var adapter = new PeftTarget().Name;
        if (context.Inputs.ContainsKey(InputNames.Base))
        {
            source = WithAdapter(source with { Base = await context.FetchAsync(InputNames.Base, cancel) });
        }
        else
        {
            options.RequireNoAdapter();
        }

        var formats = options
            .Formats.Where(format => format != adapter)
            .Select(format => format == new OpenAiTarget().Name ? plain.Name : format)
            .Prepend(plain.Name);
        options = options with
        {
            Formats = [.. (source.Form is null ? formats : formats.Append(adapter)).Distinct(StringComparer.Ordinal)],
        };
        var tokenizer = options.Targets.Any(target => target.NeedsTokenizer)
            ? ClipTokenizer.Load(await context.FetchAsync(InputNames.Tokenizer, cancel))
            : null;
        var folder = Path.Combine(context.Scratch, "formats");
        var conversion = Conversion.Run(
            source,
            folder,
            options,
            tokenizer,
            (done, total) => context.Progress.Report(new StageProgress(done, total, "tensors")),
            cancel
        );

        // A file that is a format by itself is there once; a folder is whole with its weights.
        var (made, name) = (Path.Combine(folder, weights), $"{context.Unit}.model.safetensors");
        var outputs = new Dictionary<string, ArtifactRef>
        {
            [OutputNames.Model] =
                weights == OpenAiTarget.FileName
                    ? await context.Artifacts.TakeFileAsync(made, name, MediaTypes.Safetensors, cancel)
                    : await context.Artifacts.PutFileAsync(made, name, MediaTypes.Safetensors, cancel),
        };
        foreach (
            var path in conversion
                .Files.Keys.Append(Conversion.CardName)
                .Append(Conversion.ProvenanceName)
                .Where(path => path != OpenAiTarget.FileName)
        )
        {
            outputs[$"files/{path}"] = await context.Artifacts.TakeFileAsync(
                Path.Combine(folder, path),
                $"{context.Unit}/{path}",
                TypeOf(path),
                cancel
            );
        }

        var evidence = Evidence(conversion, conversion.Proofs[plain.Loadable[0]], options, input, outputs[OutputNames.Model]);
        outputs[OutputNames.Proof] = await context.Artifacts.PutBytesAsync(
            ResultFormats.Proof.Write(evidence),
            $"{context.Unit}.proof.json",
            ResultFormats.Proof.MediaType,
            cancel
        );
        return new StageResult(outputs, ResultFormats.Proof.ToJson(evidence));
    }

    private static string TypeOf(string path) =>
        Path.GetExtension(path) switch
        {
            ".safetensors" => MediaTypes.Safetensors,
            ".json" => MediaTypes.Json,
            ".md" => "text/markdown",
            ".txt" => "text/plain",
            _ => "application/octet-stream",
        };

    // The proof of the weights that continue in the run, and next to it that of every format.
    private static ConversionProof Evidence(
        Conversion conversion,
        ForwardProof proof,
        ConversionOptions options,
        ArtifactRef source,
        ArtifactRef written
    ) =>
        new(
            proof.Images,
            proof.Texts,
            proof.Seed,
            proof.Tolerance,
            proof.Image,
            proof.Text,
            proof.WorstWeight,
            proof.Holds,
            WeightPrecision.StoredName(options.Dtype),
            conversion.GeometricLayers,
            source.Digest,
            written.Digest,
            conversion.Proofs
        );

    // Arms that train no adapter, or also take heads out, change other weights than one.
    private static ConversionSource WithAdapter(ConversionSource source)
    {
        using var tuned = source.Open();
        using var basis = source.OpenBase();
        return TrainedAdapter.Of(tuned.Metadata) is { } form && PeftTarget.IsAdapted(new PlainWeights(tuned), new PlainWeights(basis), form)
            ? source with
            {
                Form = form,
            }
            : source;
    }

    private static ClipFamily FamilyOf(ConversionSource source)
    {
        using var checkpoint = source.Open();
        return checkpoint.Architecture.Family;
    }
}
