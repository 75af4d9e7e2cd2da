namespace ClipSae.Results.Autoencoders;

/// <summary>An MLP neuron of the vision tower, and how much its output is along a feature's decoder direction.</summary>
/// <param name="Layer">Its block, from 0.</param>
/// <param name="Neuron">Its place in the block.</param>
/// <param name="Cosine">Cosine of its column of the output weight with the decoder direction; of an autoencoder on the neurons themselves,
/// of its axis.</param>
public sealed record WritingNeuron(int Layer, int Neuron, double Cosine);
