using ClipSae.Cli.CommandLine;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Tokenizers;
using ClipSae.Hosting.Service;
using ClipSae.Tensors.Files;

namespace ClipSae.Cli.Running;

/// <summary>A checkpoint and its vocabulary as files.</summary>
internal static class ModelFiles
{
    /// <summary>The sizes of a checkpoint's model.</summary>
    /// <exception cref="UserErrorException">The checkpoint is damaged or no CLIP.</exception>
    public static ClipArchitecture Architecture(string weights)
    {
        using var checkpoint = ClipCheckpoint.Open(weights);
        return checkpoint.Architecture;
    }

    /// <summary>
    /// Reads weights and vocabulary, so that a wrong file stops a run before it starts, and says what had to be assumed of the weights.
    /// </summary>
    /// <exception cref="UserErrorException">The checkpoint is damaged or no CLIP, has values that are not numbers, or the vocabulary is
    /// another model's; the message names the file.</exception>
    public static void Check(string weights, string tokenizer, Session session)
    {
        using var checkpoint = ClipCheckpoint.Open(weights);
        var architecture = checkpoint.Architecture;
        var vocabulary = ClipTokenizer.Load(tokenizer).VocabularySize;
        UserErrorException.ThrowIf(
            vocabulary != architecture.VocabularySize,
            $"{tokenizer} has {vocabulary} tokens, but {weights} knows {architecture.VocabularySize}: "
                + $"name the model's own vocabulary with --tokenizer"
        );

        checkpoint.RequireFinite();
        if (checkpoint.IsActivationAssumed)
        {
            session.Tell(
                $"{weights}: nothing says which activation it was trained with; OpenAI's QuickGELU is assumed. "
                    + "For a model of LAION or DataComp, "
                    + $"write it once with 'clipsae convert {Path.GetFileName(weights)} OUT --to openai --activation gelu' and use that"
            );
        }
    }

    /// <summary>
    /// Brings a checkpoint into the store as one file: a single file as it is, a folder or sharded files joined under OpenAI's keys, and so
    /// a file whose activation and heads stand in a description next to it.
    /// </summary>
    public static async Task<ArtifactRef> PutAsync(ClipSaeRuntime runtime, string model, string name, CancellationToken cancel)
    {
        using var checkpoint = ClipCheckpoint.Open(model);
        if (
            File.Exists(model)
            && !ShardedTensors.IsIndex(model)
            && (checkpoint.Architecture.IsOpenAi || ModelTraits.IsIn(checkpoint.Metadata))
        )
        {
            return await runtime.Artifacts.PutFileAsync(model, name, MediaTypes.Safetensors, cancel);
        }

        var scratch = runtime.Scratch.NewFolder();
        try
        {
            var joined = Path.Combine(scratch, "model.safetensors");
            checkpoint.SaveAs(joined);
            return await runtime.Artifacts.TakeFileAsync(joined, name, MediaTypes.Safetensors, cancel);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }
}
