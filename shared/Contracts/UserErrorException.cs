namespace ClipSae.Contracts;

/// <summary>A failure that the user caused and can mend. Its message is one line: what is wrong, where, and what to do about it.</summary>
public sealed class UserErrorException : Exception
{
    public UserErrorException(string message)
        : base(message)
    {
    }

    public UserErrorException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
