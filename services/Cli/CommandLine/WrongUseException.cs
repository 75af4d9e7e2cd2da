using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace ClipSae.Cli.CommandLine;

/// <summary>The command line itself is at fault; the process ends with <see cref="ExitCode.WrongUse"/>.</summary>
internal sealed class WrongUseException : Exception
{
    public WrongUseException(string message)
        : base(message) { }

    public WrongUseException(string message, Exception innerException)
        : base(message, innerException) { }

    /// <summary>Runs what checks what the user typed; what it finds wrong is wrong use.</summary>
    public static T Checked<T>(Func<T> check)
    {
        try
        {
            return check();
        }
        catch (UserErrorException error)
        {
            throw new WrongUseException(error.Message, error);
        }
    }

    /// <summary>Throws it if there is a problem.</summary>
    public static void ThrowIf([DoesNotReturnIf(true)] bool isProblem, string message)
    {
        if (isProblem)
        {
            throw new WrongUseException(message);
        }
    }

    /// <inheritdoc cref="ThrowIf(bool, string)"/>
    public static void ThrowIf(
        [DoesNotReturnIf(true)] bool isProblem,
        [InterpolatedStringHandlerArgument(nameof(isProblem))] ref ProblemMessage message
    )
    {
        if (isProblem)
        {
            throw new WrongUseException(message.ToStringAndClear());
        }
    }
}
