namespace ClipSae.Results.Curation;

/// <summary>An MLP neuron that writes the salient features.</summary>
/// <param name="Layer">Its block, from 0.</param>
/// <param name="Neuron">Its index in the block.</param>
/// <param name="Score">By how much it writes them because of a word.</param>
public sealed record SalientNeuron(int Layer, int Neuron, double Score);
