using ClipSae.Pages;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Atlas;

/// <summary>Where the parts of an autoencoder's atlas are: addresses of the server, or files of a folder.</summary>
internal abstract class AtlasPlaces
{
    /// <summary>Those of the server.</summary>
    public static AtlasPlaces Served { get; } = new ServedPlaces();

    /// <summary>The list of its features.</summary>
    public abstract string Volume(AtlasVolume volume);

    /// <summary>A feature's page; null where it has none.</summary>
    public abstract string? Feature(AtlasVolume volume, int feature);

    /// <summary>A small picture of the data set.</summary>
    public abstract string Image(AtlasVolume volume, string id);

    /// <summary>The patches of a picture on which a feature fires, to be laid over it; null where they are not known.</summary>
    public abstract string? Patches(AtlasVolume volume, int feature, string id);

    /// <summary>How images over the whole range of activations are had, if there is no index.</summary>
    public abstract Html IndexHint(AtlasVolume volume);

    private sealed class ServedPlaces : AtlasPlaces
    {
        public override string Volume(AtlasVolume volume) => AtlasPage.Path(volume.Record.Run, volume.Unit.Unit);

        public override string Feature(AtlasVolume volume, int feature) => FormattableString.Invariant($"{Volume(volume)}/{feature}");

        public override string Image(AtlasVolume volume, string id) => AtlasPage.Image(volume.Record.Run, id);

        public override string? Patches(AtlasVolume volume, int feature, string id) =>
            volume.HasPatches ? PageShell.Address(Feature(volume, feature) + "/patches", ("id", id)) : null;

        public override Html IndexHint(AtlasVolume volume) =>
            Html.Of($"<a href=\"{Volume(volume)}\">With the index</a>, images over the whole range of its activations are shown.");
    }
}
