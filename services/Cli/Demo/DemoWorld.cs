using ClipSae.Artifacts;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Datasets.Drawing;
using ClipSae.Datasets.World;

namespace ClipSae.Cli.Demo;

/// <summary>The demo's data set on disk: drawn once for each choice of options, under a name that follows from them.</summary>
internal sealed class DemoWorld(string root, SyntheticWorldOptions options)
{
    /// <summary>The folder of the world; drawn first if it is not there. A drawing that was interrupted is started again.</summary>
    public string Make(Session session, CancellationToken cancel)
    {
        using var fonts = FontCatalogue.Load();
        var world = new SyntheticWorld(options, fonts);
        var faces = string.Join(',', fonts.All.Select(face => face.Name));
        var identity = Digest.OfText($"{System.Text.Json.JsonSerializer.Serialize(options)} {faces}");
        var folder = Path.Combine(root, $"world-{Digest.Hex(identity)[..12]}");
        if (Directory.Exists(folder))
        {
            return folder;
        }

        session.Tell($"drawing {options.TuningImages} images to fine-tune on and {options.EvaluationImages} for each evaluation set");
        using var drawn = new CountBar(session, "images drawn", world.Splits.Sum(split => split.Count));
        return DiskErrors.Guard(folder, null, () =>
        {
            var drawing = $"{folder}.{Environment.ProcessId}.tmp";
            try
            {
                SyntheticWorldWriter.Write(world, drawing, drawn, cancel);
                Directory.Move(drawing, folder);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                // Another process drew the same world meanwhile.
            }
            finally
            {
                RemoveLeftovers();
            }

            return folder;
        });
    }

    // Killed processes leave half-drawn worlds behind; nobody reads them, so they only take space.
    private void RemoveLeftovers()
    {
        foreach (var leftover in Directory.GetDirectories(root, "world-*.tmp"))
        {
            var owner = Path.GetFileNameWithoutExtension(leftover).Split('.')[^1];
            if (owner == $"{Environment.ProcessId}" || !IsRunning(owner))
            {
                Directory.Delete(leftover, recursive: true);
            }
        }
    }

    private static bool IsRunning(string process)
    {
        try
        {
            using var found = System.Diagnostics.Process.GetProcessById(
                int.Parse(process, System.Globalization.CultureInfo.InvariantCulture)
            );
            return true;
        }
        catch (Exception error) when (error is ArgumentException or FormatException or InvalidOperationException)
        {
            return false;
        }
    }
}
