namespace ClipSae.Tensors.Tests;

/// <summary>Files that PyTorch wrote.</summary>
internal static class Reference
{
    public static string File(string name) => Path.Combine(AppContext.BaseDirectory, "Reference", name);
}
