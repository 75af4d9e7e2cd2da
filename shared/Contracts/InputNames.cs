namespace ClipSae.Contracts;

/// <summary>
/// Names of a run's inputs, and of stages' inputs that are not called as the output they come from (<see cref="OutputNames"/>).
/// </summary>
public static class InputNames
{
    /// <summary>Of a run: the checkpoint.</summary>
    public const string ModelWeights = "model:weights";

    /// <summary>Of a run: the vocabulary.</summary>
    public const string ModelTokenizer = "model:tokenizer";

    /// <summary>Of a run: which images the data set has.</summary>
    public const string DatasetManifest = "dataset:manifest";

    /// <summary>Begins the names of a run's inputs that are the data set's.</summary>
    public const string Dataset = "dataset";

    /// <summary>Begins the names of a run's inputs that are evaluation sets.</summary>
    public const string Evaluation = "evaluation";

    /// <summary>The run's checkpoint; of weight-conversion, the weights to convert.</summary>
    public const string Model = "model";

    public const string Tokenizer = "tokenizer";

    /// <summary>All shards of the data set.</summary>
    public const string Shards = "shards";

    /// <summary>The one shard that a unit extracts.</summary>
    public const string Shard = "shard";

    /// <summary>Activations at the unit's hook point, by shard.</summary>
    public const string Activations = "activations";

    /// <summary>An autoencoder that was trained elsewhere.</summary>
    public const string GivenAutoencoder = "given";

    /// <summary>Final embeddings of images, by shard.</summary>
    public const string Embeddings = "embeddings";

    /// <summary>Final embeddings of captions, by shard.</summary>
    public const string TextEmbeddings = "text-embeddings";

    /// <summary>Statistics of the autoencoders, by unit.</summary>
    public const string AutoencoderStatistics = "sae-statistics";

    /// <summary>The model before fine-tuning.</summary>
    public const string Base = "base";

    /// <summary>The models to evaluate, by unit.</summary>
    public const string Models = "models";

    /// <summary>Null tokens of these models, by unit.</summary>
    public const string NullTokens = "null-tokens";
}
