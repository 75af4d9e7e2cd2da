using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using ClipSae.Tensors.Files;
using TorchSharp;

namespace ClipSae.Clip.Checkpoints;

/// <summary>
/// A CLIP on disk in any of the forms that people have: safetensors (one file or sharded), files of <c>torch.save</c> and
/// <c>torch.jit.save</c>, folders of <c>transformers</c> and open_clip, Long-CLIP, Geometric Parametrization, or a text encoder alone
/// next to the checkpoint that has its vision tower. What it is, is recognised by its content. Weights are seen under OpenAI's keys and
/// read one at a time.
/// </summary>
public sealed class ClipCheckpoint : IDisposable
{
    private const string VisionPrefix = "visual.";

    private readonly ITensorFile _file;
    private readonly ClipCheckpoint? _vision;
    private readonly PeftAdapter? _adapter;
    private readonly Dictionary<string, WeightPart> _parts;
    private readonly string _source;

    private ClipCheckpoint(
        ITensorFile file,
        ClipCheckpoint? vision,
        PeftAdapter? adapter,
        KeyLayout layout,
        Dictionary<string, WeightPart> parts,
        string source
    )
    {
        _file = file;
        _vision = vision;
        _adapter = adapter;
        _parts = parts;
        _source = source;
        Layout = layout;
        (Architecture, Keys) = ClipStateDict.Check(
            parts.ToDictionary(part => part.Key, part => part.Value.Shape, StringComparer.Ordinal),
            source
        );
        if (Keys.FirstOrDefault(key => !parts[key].IsComputable) is { } narrow)
        {
            throw new UserErrorException(
                $"{source}: key '{parts[narrow].Leader.Name}' has element type {parts[narrow].Dtype}: "
                    + "8-bit and integer weights need scales, which are not supported; export them in float16, bfloat16 or float32"
            );
        }
    }

    /// <summary>Under whose names the weights are in the file.</summary>
    public KeyLayout Layout { get; }

    public ClipArchitecture Architecture { get; private set; }

    /// <summary>Whether nothing says which activation the model was trained with, and OpenAI's is taken.</summary>
    public bool IsActivationAssumed { get; private set; }

    /// <summary>
    /// OpenAI's keys in OpenAI's order; <c>.theta</c> and <c>.r</c> for layers in Geometric Parametrization, both positional embeddings of
    /// a Long-CLIP.
    /// </summary>
    public IReadOnlyList<string> Keys { get; }

    /// <summary>Free-form texts that the file carries next to its tensors.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _file.Metadata;

    /// <summary>Whether the MLPs are in Geometric Parametrization.</summary>
    public bool IsGeometric => Keys.Any(IsTheta);

    /// <summary>Opens a checkpoint and checks names and shapes of all its weights.</summary>
    /// <param name="path">A file, an index of sharded files, or a folder.</param>
    /// <param name="name">What to call it in errors; the path when null.</param>
    /// <param name="vision">The checkpoint that gives what a text encoder alone does not have; unused for whole models.</param>
    /// <param name="named">What the user says of it, where neither the file nor a description next to it does.</param>
    /// <param name="adapter">An adapter in PEFT's format, which is merged into the weights as they are read; null for none.</param>
    /// <exception cref="UserErrorException">It cannot be read, is no CLIP that is supported, or is described as one that is not;
    /// names file and key.</exception>
    public static ClipCheckpoint Open(
        string path,
        string? name = null,
        string? vision = null,
        ModelTraits? named = null,
        string? adapter = null
    )
    {
        var source = name ?? path;
        var file = OpenFile(path, name);
        ClipCheckpoint? whole = null;
        PeftAdapter? merged = null;
        try
        {
            var (layout, parts, ofPlace) = WeightParts.Find(file, source);
            if (
                !parts.Keys.Any(key => key.StartsWith(VisionPrefix, StringComparison.Ordinal))
                && parts.ContainsKey("token_embedding.weight")
            )
            {
                whole = Open(
                    vision
                        ?? throw new UserErrorException(
                            $"{source}: contains only a text encoder; specify the checkpoint that has its vision tower with --vision"
                        ),
                    named: named
                );
                AddVision(parts, whole);
            }

            merged = adapter is null ? null : PeftAdapter.Open(adapter);
            merged?.ApplyTo(parts, source);
            var checkpoint = new ClipCheckpoint(file, whole, merged, layout, parts, source);
            checkpoint.Describe(
                (named ?? ModelTraits.Unknown)
                    .With(ofPlace, source)
                    .With(ModelTraits.Of(file.Metadata, source), source)
                    .With(ModuleDescription.Read(file.Modules, checkpoint.Architecture, source), source)
                    .With(ModelDescription.Read(path, checkpoint.Architecture), source)
            );
            return checkpoint;
        }
        catch (UserErrorException)
        {
            merged?.Dispose();
            whole?.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes the weights, as precise as they are, into one safetensors file under OpenAI's keys.</summary>
    /// <exception cref="UserErrorException">The file cannot be written, or a weight is NaN or infinite.</exception>
    public void SaveAs(string path) =>
        SafetensorsWriter.WriteStreaming(
            path,
            Keys.Select(key => new TensorLayout(key, ScalarType(key), Shape(key))),
            Read,
            ModelTraits.Added(new Dictionary<string, string> { ["format"] = "pt", ["keys"] = "openai" }, Architecture)
        );

    /// <summary>Whether a file of this name may describe the weights that are next to it.</summary>
    public static bool IsDescription(string name) => ModelDescription.IsNamed(name);

    /// <summary>Element type of a weight in the file.</summary>
    public torch.ScalarType ScalarType(string key) => _parts[key].ScalarType!.Value;

    /// <summary>Sizes of a weight.</summary>
    public IReadOnlyList<long> Shape(string key) => _parts[key].Shape;

    /// <summary>A weight as precise as the file holds it; the caller owns it.</summary>
    /// <exception cref="UserErrorException">It has values that are NaN or infinite.</exception>
    public torch.Tensor Read(string key)
    {
        var nonFinite = new NonFiniteValues();
        var weight = Read(key, nonFinite);
        if (nonFinite.Counts.Count == 0)
        {
            return weight;
        }

        weight.Dispose();
        throw NotFinite();
    }

    /// <summary>The null token, if there is one; the caller owns it.</summary>
    public NullToken? ReadNullToken() =>
        Keys.FirstOrDefault(key => ClipStateDict.NullTokenBlock(key, Architecture) is not null) is { } token
            ? new NullToken(ClipStateDict.NullTokenBlock(token, Architecture)!.Value, Read(token))
            : null;

    /// <summary>Every weight in one element type, by its key; the caller owns them.</summary>
    /// <remarks>
    /// What the file holds in that type under one name is read at once; the rest one by one, so that no two copies of all are in memory.
    /// </remarks>
    /// <exception cref="UserErrorException">Values are NaN or infinite; names the first weight and says how many there are.</exception>
    public IReadOnlyDictionary<string, torch.Tensor> ReadAll(torch.ScalarType type)
    {
        var nonFinite = new NonFiniteValues();
        using var scope = torch.NewDisposeScope();
        var weights = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        foreach (
            var group in Keys.GroupBy(key =>
                _parts[key] is WeightPart.Plain plain && plain.ScalarType == type && !IsUsedInPart(key) ? plain.File : null
            )
        )
        {
            string[] keys = [.. group];
            var read = group.Key?.ReadAll([.. keys.Select(key => ((WeightPart.Plain)_parts[key]).Key)], nonFinite)
                ?? keys.Select(key => Read(key, type, nonFinite));
            foreach (var (key, weight) in keys.Zip(read))
            {
                weights.Add(key, weight);
            }
        }

        return nonFinite.Counts.Count == 0
            ? weights.ToDictionary(weight => weight.Key, weight => weight.Value.MoveToOuterDisposeScope(), StringComparer.Ordinal)
            : throw NotFinite();
    }

    /// <summary>Reads every weight, to see whether it is a number.</summary>
    /// <exception cref="UserErrorException">Values are NaN or infinite; names the first weight and says how many there are.</exception>
    public void RequireFinite()
    {
        if (NonFinite().Counts.Count > 0)
        {
            throw NotFinite();
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _vision?.Dispose();
        _adapter?.Dispose();
    }

    // What the vision tower's own checkpoint says holds for it, and must not contradict what the text encoder's says.
    private void Describe(ModelTraits traits)
    {
        if (_vision is not null)
        {
            traits = traits.With(
                new ModelTraits(_vision.IsActivationAssumed ? null : _vision.Architecture.Activation, _vision.Architecture.VisionHeads),
                _source
            );
        }

        if (ForeignWeights.Recognise(Architecture, traits) is { } other)
        {
            throw new UserErrorException($"{_source}: {other}");
        }

        IsActivationAssumed = traits.Activation is null && Architecture.Family == ClipFamily.OpenAi;
        Architecture = traits.Applied(Architecture, _source);
    }

    private torch.Tensor Read(string key, torch.ScalarType type, NonFiniteValues nonFinite)
    {
        using var scope = torch.NewDisposeScope();
        return LargePages.Convert(Read(key, nonFinite), type).MoveToOuterDisposeScope();
    }

    private torch.Tensor Read(string key, NonFiniteValues nonFinite)
    {
        if (!IsUsedInPart(key))
        {
            return _parts[key].Read(nonFinite);
        }

        var weight = _parts[key].Read(new NonFiniteValues());
        using var scope = torch.NewDisposeScope();
        nonFinite.Count(_parts[key].Leader.Name, LongPositions.Used(key, weight).contiguous());
        return weight;
    }

    // Of Long-CLIP's two embeddings some rows reach no result, and may hold anything.
    private bool IsUsedInPart(string key) =>
        key is ClipKeys.Positions or ClipKeys.StretchedPositions && _parts.ContainsKey(ClipKeys.StretchedPositions);

    private NonFiniteValues NonFinite()
    {
        var found = new NonFiniteValues();
        foreach (var key in Keys)
        {
            Read(key, found).Dispose();
        }

        return found;
    }

    // How many there are in all says whether a value was damaged or a training went wrong; it is counted only when there are any.
    private UserErrorException NotFinite()
    {
        var counts = NonFinite().Counts.OrderBy(count => count.Key, StringComparer.Ordinal).ToList();
        var (first, all) = (counts[0], counts.Sum(count => count.Value));
        var elsewhere = counts.Count == 1 ? "" : $", {all} in {counts.Count} tensors";
        return new(
            $"{_source}: key '{first.Key}' has {first.Value} {(first.Value == 1 ? "value that is" : "values that are")} NaN or "
                + $"infinite{elsewhere}; the training that wrote the weights diverged, or they left the range of half precision: "
                + "use an earlier checkpoint, or export them in float32"
        );
    }

    private static ITensorFile OpenFile(string path, string? name)
    {
        if (Directory.Exists(path))
        {
            return CheckpointFolder.Open(path);
        }

        return ShardedTensors.IsIndex(path) ? ShardedTensors.Open(path) : TensorFiles.Open(path, name);
    }

    // Projection and scale come with some text encoders and not with others.
    private static void AddVision(Dictionary<string, WeightPart> parts, ClipCheckpoint whole)
    {
        var plain = !parts.Keys.Any(IsTheta);
        foreach (var (key, part) in whole._parts)
        {
            if (!key.StartsWith(VisionPrefix, StringComparison.Ordinal) && key is not ("text_projection" or "logit_scale"))
            {
                continue;
            }

            // One tower in r and theta next to a plain one is no model that is trained: the vision tower follows the text.
            if (!plain || !(IsTheta(key) || key.EndsWith(ClipKeys.Radius, StringComparison.Ordinal)))
            {
                parts.TryAdd(key, part);
            }
            else if (IsTheta(key))
            {
                var layer = key[..^ClipKeys.Theta.Length];
                parts.TryAdd(layer + ClipKeys.Weight, new WeightPart.Materialized(whole._parts[layer + ClipKeys.Radius], part));
            }
        }
    }

    private static bool IsTheta(string key) => key.EndsWith(ClipKeys.Theta, StringComparison.Ordinal);
}
