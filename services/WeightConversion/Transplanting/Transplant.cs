using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Generators;
using ClipSae.Clip.Tokenizers;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Transplanting;

/// <summary>Puts a model's text tower into an image generator, and measures what that changes for the generator.</summary>
public static class Transplant
{
    /// <summary>
    /// Writes the generator with the model's text tower, reads it again, and compares its hidden states with the generator's own.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="generatorPath">A file of safetensors, or a folder of diffusers.</param>
    /// <param name="encoderName">Which text encoder to replace; the only one that the model fits when null.</param>
    /// <param name="target">File or folder to write.</param>
    /// <exception cref="UserErrorException">
    /// Generator or model cannot be read, no encoder fits or several do, the tokenizer is another model's, the disk is full, or what was
    /// written is not the model.
    /// </exception>
    public static TransplantResult Run(
        ConversionSource model,
        string generatorPath,
        string? encoderName,
        string target,
        IReadOnlyList<string> prompts,
        ClipTokenizer tokenizer,
        CancellationToken cancel = default
    )
    {
        using var checkpoint = model.Open();
        var architecture = checkpoint.Architecture;
        UserErrorException.ThrowIf(
            architecture.Family != ClipFamily.OpenAi,
            $"{model.Name}: is a {architecture.Family}, whose text tower no image generator has in place of a CLIP's; name a CLIP"
        );
        UserErrorException.ThrowIf(
            tokenizer.VocabularySize != architecture.VocabularySize,
            $"the tokenizer has {tokenizer.VocabularySize} tokens, but {model.Name} knows {architecture.VocabularySize}: "
                + $"name the model's own vocabulary with --tokenizer"
        );

        using var generator = ImageGenerator.Open(generatorPath);
        var encoder = Choose(generator, encoderName, model.Name, architecture, generatorPath);
        var fitted = architecture with { ContextLength = encoder.Context, TextLayers = encoder.Layers };
        using var states = new PromptStates(prompts, tokenizer, encoder.Context, architecture.Activation);
        using var before = states.Of(encoder, fitted, cancel);

        var weights = new PlainWeights(checkpoint);
        var tensors = generator.Write(encoder.Name, architecture, key => Fitted(weights, key, encoder.Context), target, cancel);

        using var written = ImageGenerator.Open(target);
        var replaced = written.Encoders.Where(one => one.Name == encoder.Name).ToList();
        replaced.ForEach(one => RequireEqual(one, weights, architecture, Path.Combine(target, one.File)));
        using var after = states.Of(replaced[0], fitted, cancel);
        return new TransplantResult(
            encoder.Name,
            tensors,
            encoder.Dtype,
            encoder.Layers,
            encoder.Context,
            architecture.ContextLength,
            prompts.Count,
            states.Compare(before, after),
            Digests(generatorPath, generator.Encoders.Where(one => one.Name == encoder.Name)),
            model.FileDigests(),
            Digests(target, replaced)
        );
    }

    private static GeneratorTextEncoder Choose(
        ImageGenerator generator,
        string? name,
        string model,
        ClipArchitecture architecture,
        string path
    )
    {
        string[] names = [.. generator.Encoders.Select(encoder => encoder.Name).Distinct()];
        UserErrorException.ThrowIf(
            name is not null && !names.Contains(name, StringComparer.Ordinal),
            $"{path}: has no text encoder '{name}'; it has {string.Join(", ", names)}"
        );

        var asked = generator.Encoders.Where(encoder => name is null || encoder.Name == name).GroupBy(encoder => encoder.Name).ToList();
        var fitting = asked.Where(files => files.All(encoder => Misfit(encoder) is null)).ToList();
        return fitting switch
        {
            [var only] => only.First(),
            [] => throw new UserErrorException(
                $"{path}: no text encoder can be replaced by that of {model}: "
                    + string.Join("; ", asked.Select(files => $"{files.Key}: {files.Select(Misfit).First(reason => reason is not null)}"))
            ),
            _ => throw new UserErrorException(
                $"{path}: {model} fits {string.Join(" and ", fitting.Select(files => files.Key))}; name the one to replace with --encoder"
            ),
        };

        string? Misfit(GeneratorTextEncoder encoder) => encoder.Misfit(architecture);
    }

    /// <summary>A weight in the sizes of the generator: it may take fewer tokens than the model.</summary>
    private static torch.Tensor Fitted(PlainWeights weights, string key, int context)
    {
        using var scope = torch.NewDisposeScope();
        var weight = weights.Read(key);
        return (key == ClipKeys.Positions ? weight.narrow(0, 0, context) : weight).MoveToOuterDisposeScope();
    }

    private static void RequireEqual(GeneratorTextEncoder written, PlainWeights weights, ClipArchitecture architecture, string path)
    {
        foreach (var key in written.Keys(architecture))
        {
            using var scope = torch.NewDisposeScope();
            UserErrorException.ThrowIf(
                !written.Read(key).eq(written.Rounded(key, Fitted(weights, key, written.Context))).all().item<bool>(),
                $"{path}: what was read back as '{key}' is not what was written; the disk or its memory is faulty"
            );
        }
    }

    private static SortedDictionary<string, string> Digests(string generator, IEnumerable<GeneratorTextEncoder> files) =>
        new(
            files
                .Select(file => Path.Combine(generator, file.File))
                .ToDictionary(path => Path.GetRelativePath(Path.GetDirectoryName(Path.GetFullPath(generator))!, path), Digest.OfFile),
            StringComparer.Ordinal
        );
}
