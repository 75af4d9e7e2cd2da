using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Results.Conversion;
using ClipSae.Tensors;
using ClipSae.WeightConversion.Proofs;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Targets;

/// <summary>
/// What an adapter changed about its base, as PEFT keeps a LoRA for transformers' CLIPModel or SiglipModel; float32 in any case.
/// </summary>
public sealed record PeftTarget() : ConversionTarget("peft", "PEFT (PeftModel.from_pretrained on the base's CLIPModel or SiglipModel)")
{
    public override bool NeedsBase => true;

    public override bool IsOf(ClipFamily family) => true;

    public override IReadOnlyList<string> Loadable => ["peft"];

    public override int Tensors(PlainWeights weights) => 0;

    /// <summary>Whether a model differs from its base in weights that an adapter of this form adapts, and in no others.</summary>
    internal static bool IsAdapted(PlainWeights tuned, PlainWeights basis, LowRankAdapter form) =>
        tuned.Architecture == basis.Architecture
        && FirstOther(tuned, basis, form) is null
        && tuned.Shapes.Any(weight => form.Adapts(weight.Key) && !AreEqual(tuned, basis, weight.Key));

    public override void Write(ConversionMaterial material, string folder)
    {
        var (weights, basis, form) = (material.Weights, material.Base!, material.Form!);
        UserErrorException.ThrowIf(
            weights.Architecture != basis.Architecture,
            $"format {Name}: the base is another model ({basis.Architecture}); name the one that was tuned"
        );

        if (FirstOther(weights, basis, form) is { } other)
        {
            throw new UserErrorException(
                $"format {Name}: '{other}' differs from the base too, which no adapter of {string.Join(", ", form.Targets)} "
                    + "changes; convert the whole weights instead, or name the base that was tuned"
            );
        }

        using var scope = torch.NewDisposeScope();
        var tensors = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        var modules = new List<string>();
        foreach (var (key, _) in weights.Shapes.Where(weight => form.Adapts(weight.Key)))
        {
            material.Cancel.ThrowIfCancellationRequested();
            Split(material, key, modules, tensors);
        }

        UserErrorException.ThrowIf(
            modules.Count == 0,
            $"format {Name}: the weights are those of the base, so there is no adapter to write"
        );

        var target = Directory.CreateDirectory(Path.Combine(folder, Loadable[0])).FullName;
        SafetensorsWriter.Write(
            Path.Combine(target, PeftAdapter.WeightsName),
            tensors,
            new Dictionary<string, string> { ["format"] = "pt" }
        );
        JsonDescription.Write(target, PeftAdapter.ConfigurationName, Configuration(form, material.Architecture.Family, modules));
    }

    internal override (ProbeFeatures Features, WeightDifference? Worst) Load(string path, ConversionSource source, Probes probes)
    {
        using var written = source.OpenBase(path);
        using var original = source.Open();
        return (ProbeFeatures.Of(written, probes), Differences.WorstOfWeights(new PlainWeights(original), new PlainWeights(written)));
    }

    private static string? FirstOther(PlainWeights tuned, PlainWeights basis, LowRankAdapter form) =>
        tuned.Shapes.Select(weight => weight.Key).FirstOrDefault(key => !form.Adapts(key) && !AreEqual(tuned, basis, key));

    private static bool AreEqual(PlainWeights tuned, PlainWeights basis, string key)
    {
        using var scope = torch.NewDisposeScope();
        return tuned.Read(key).Equals(basis.Read(key));
    }

    // transformers has query, key and value apart.
    private void Split(ConversionMaterial material, string key, List<string> modules, Dictionary<string, torch.Tensor> tensors)
    {
        var form = material.Form!;
        var names = HuggingFaceKeys.FromOpenAi(key);
        using var before = material.Base!.Read(key);
        using var after = material.Weights.Read(key);
        var rows = before.shape[0] / names.Count;
        foreach (var (place, name) in names.Index())
        {
            using var scope = torch.NewDisposeScope();
            if (
                LowRankChange.Of(before.narrow(0, place * rows, rows), after.narrow(0, place * rows, rows), form.Rank, place)
                is not { } change
            )
            {
                continue;
            }

            UserErrorException.ThrowIf(
                change.Error > LowRankChange.MaxError,
                $"format {Name}: what changed about '{name}' is not of rank {form.Rank}; "
                    + $"name a higher rank, or convert the whole weights"
            );

            var module = name[..^ClipKeys.Weight.Length];
            modules.Add(module);
            tensors[PeftAdapter.Prefix + module + PeftAdapter.EndOfA] = change.A.MoveToOuterDisposeScope();
            tensors[PeftAdapter.Prefix + module + PeftAdapter.EndOfB] = change
                .B.Times(change.A.shape[0] / form.Alpha)
                .MoveToOuterDisposeScope();
        }
    }

    private static JsonObject Mapping(string model, string module) =>
        new() { ["base_model_class"] = model, ["parent_library"] = $"transformers.models.{module}.modeling_{module}" };

    /// <summary>As PEFT's LoraConfig saves itself, with what is not its default or is asked for where it is read.</summary>
    private static JsonObject Configuration(LowRankAdapter form, ClipFamily family, IEnumerable<string> modules) =>
        new()
        {
            ["alpha_pattern"] = new JsonObject(),
            ["auto_mapping"] =
                family == ClipFamily.SigLip ? Mapping("SiglipModel", "siglip")
                : family == ClipFamily.MetaClip2 ? Mapping("MetaClip2Model", "metaclip_2")
                : Mapping("CLIPModel", "clip"),
            ["base_model_name_or_path"] = null,
            ["bias"] = "none",
            ["fan_in_fan_out"] = false,
            ["inference_mode"] = true,
            ["init_lora_weights"] = true,
            ["lora_alpha"] = form.Alpha == Math.Floor(form.Alpha) ? JsonValue.Create((long)form.Alpha) : JsonValue.Create(form.Alpha),
            ["lora_dropout"] = 0.0,
            ["modules_to_save"] = null,
            ["peft_type"] = "LORA",
            ["r"] = form.Rank,
            ["rank_pattern"] = new JsonObject(),
            ["revision"] = null,
            ["target_modules"] = new JsonArray([.. modules.Order(StringComparer.Ordinal).Select(module => (JsonNode)module)]),
            ["task_type"] = null,
            ["use_dora"] = false,
            ["use_rslora"] = false,
        };
}
