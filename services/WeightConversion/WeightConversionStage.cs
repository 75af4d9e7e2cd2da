using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Pipeline;

namespace ClipSae.WeightConversion;

/// <summary>
/// Turns one tuned checkpoint (input <c>model</c>) into plain weights that any CLIP code loads (output <c>model</c>), proved equal by a
/// forward pass of both files (output <c>proof</c>).
/// </summary>
public sealed class WeightConversionStage : IStage
{
    public string Name => "weight-conversion";

    public int AlgorithmVersion => 1;

    public JsonObject Normalize(JsonObject parameters)
    {
        var options = StageParameters.Bind<ConversionOptions>(parameters, Name);
        options.Validate();
        return JsonSerializer.SerializeToNode(options with { Tolerance = options.EffectiveTolerance }, ContractJson.Options)!.AsObject();
    }

    public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
    {
        var options = context.Options<ConversionOptions>();
        var target = ConversionTarget.From(options);
        var input = context.Input("model");
        var source = await context.FetchAsync("model", cancel);
        var path = Path.Combine(context.Scratch, target.FileName);
        var name = $"{context.Unit} ({input.Name})";
        var layers = WeightConverter.Convert(
            source, name, path, target, (done, total) => context.Progress.Report(new StageProgress(done, total, "tensors")), cancel);

        var proof = Prove(source, path, options);
        proof.Require(name);
        var model = await context.Artifacts.PutFileAsync(path, $"{context.Unit}.{target.FileName}", "application/x-safetensors", cancel);
        var evidence = Evidence(proof, options, layers, input, model);
        var stored = await context.Artifacts.PutBytesAsync(
            JsonSerializer.SerializeToUtf8Bytes(evidence, ContractJson.Options), $"{context.Unit}.proof.json", "application/json", cancel);
        return new StageResult(new Dictionary<string, ArtifactRef> { ["model"] = model, ["proof"] = stored }, evidence);
    }

    private static JsonSerializerOptions Json => ContractJson.Options;

    // Both are read from disk: what is proved is the file, not what was in memory when it was written.
    private static ForwardProof Prove(string source, string written, ConversionOptions options)
    {
        using var tuned = ClipModel.Load(source);
        using var plain = ClipModel.Load(written);
        return ForwardProof.Run(tuned, plain, options);
    }

    private static JsonObject Evidence(ForwardProof proof, ConversionOptions options, int layers, ArtifactRef source, ArtifactRef written)
    {
        var evidence = JsonSerializer.SerializeToNode(proof, ContractJson.Options)!.AsObject();
        evidence["dtype"] = JsonSerializer.SerializeToNode(options.Dtype, ContractJson.Options);
        evidence["geometricLayers"] = layers;
        evidence["source"] = source.Digest;
        evidence["written"] = written.Digest;
        return evidence;
    }
}
