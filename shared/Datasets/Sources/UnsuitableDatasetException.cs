namespace ClipSae.Datasets.Sources;

/// <summary>
/// A folder that can be read but cannot serve as what it was given for: it holds no pictures, or pictures of one class only.
/// </summary>
public sealed class UnsuitableDatasetException : UserErrorException
{
    public UnsuitableDatasetException(string message)
        : base(message) { }

    public UnsuitableDatasetException(string message, Exception innerException)
        : base(message, innerException) { }
}
