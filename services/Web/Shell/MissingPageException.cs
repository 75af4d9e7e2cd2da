namespace ClipSae.Web.Shell;

/// <summary>There is nothing at an address; the message is shown.</summary>
internal sealed class MissingPageException(string message) : Exception(message);
