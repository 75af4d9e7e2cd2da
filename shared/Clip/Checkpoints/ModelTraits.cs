using System.Globalization;
using ClipSae.Clip.Architecture;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Clip.Checkpoints;

/// <summary>What a checkpoint's weights do not say and the model needs; null where it is not known.</summary>
/// <param name="Activation">Between the layers of every MLP.</param>
/// <param name="VisionHeads">Attention heads of a vision block.</param>
/// <param name="TextHeads">Attention heads of a text block.</param>
/// <param name="ImageResolution">Side of the input image, pixels: more than its patches cover where no whole patch fits into the
/// rest.</param>
/// <param name="Filter">The filter that resizes pictures.</param>
/// <param name="Family">What kind of model it is, where names and sizes of its tensors are another kind's too.</param>
/// <param name="Fit">How a picture that is not square becomes so.</param>
public sealed record ModelTraits(
    MlpActivation? Activation = null,
    int? VisionHeads = null,
    int? TextHeads = null,
    int? ImageResolution = null,
    ResizeFilter? Filter = null,
    ClipFamily? Family = null,
    ImageFit? Fit = null
)
{
    private const string ActivationKey = "clip_activation";
    private const string VisionHeadsKey = "clip_vision_heads";
    private const string TextHeadsKey = "clip_text_heads";
    private const string ImageResolutionKey = "clip_image_resolution";
    private const string FilterKey = "clip_resize_filter";
    private const string FamilyKey = "clip_family";
    private const string FitKey = "clip_resize_fit";

    /// <summary>In the metadata of every file that is written here.</summary>
    private static readonly string[] OwnKeys = ["keys", "pretraining", "clipsae_stage", "wise_ft_alpha"];

    /// <summary>Nothing is known.</summary>
    public static ModelTraits Unknown { get; } = new();

    /// <summary>Traits of a model as the metadata of its weights keeps them: those in which it is not OpenAI's.</summary>
    public static IReadOnlyDictionary<string, string> Added(IReadOnlyDictionary<string, string>? metadata, ClipArchitecture a)
    {
        var all = new Dictionary<string, string>(metadata ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        if (!a.IsOpenAi)
        {
            all[ActivationKey] = a.Activation.Name;
            all[VisionHeadsKey] = a.VisionHeads.ToString(CultureInfo.InvariantCulture);
            all[TextHeadsKey] = a.TextHeads.ToString(CultureInfo.InvariantCulture);
        }

        if (a.Family != ClipFamily.OpenAi)
        {
            all[ImageResolutionKey] = a.ImageResolution.ToString(CultureInfo.InvariantCulture);
            all[FilterKey] = a.Filter.ToString();
        }

        if (a.Family == ClipFamily.MetaClip2)
        {
            all[FamilyKey] = a.Family.Name;
        }

        if (a.Fit != a.Family.Fit)
        {
            all[FitKey] = a.Fit.ToString();
        }

        return all;
    }

    /// <summary>Traits that <see cref="Added"/> wrote; where it wrote none, the model is OpenAI's in all of them.</summary>
    /// <exception cref="UserErrorException">A value is none that it writes.</exception>
    internal static ModelTraits Of(IReadOnlyDictionary<string, string> metadata, string source)
    {
        T? Value<T>(string key, Func<string, T?> parse)
        {
            var text = metadata.GetValueOrDefault(key);
            return text is null
                ? default
                : parse(text)
                    ?? throw new UserErrorException(
                        $"{source}: its metadata says {key} is '{text}', which is not known here; write the file again"
                    );
        }

        int? Count(string key) =>
            Value<int?>(key, text =>
                int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var heads) && heads > 0 ? heads : null
            );
        var activation = Value(ActivationKey, MlpActivation.Find) ?? (OwnKeys.Any(metadata.ContainsKey) ? MlpActivation.QuickGelu : null);
        var filter = Value<ResizeFilter?>(FilterKey, text =>
            Enum.TryParse<ResizeFilter>(text, out var named) && Enum.IsDefined(named) ? named : null
        );
        var family = Value(FamilyKey, text => text == ClipFamily.MetaClip2.Name ? ClipFamily.MetaClip2 : null);
        var fit = Value<ImageFit?>(FitKey, text => Enum.TryParse<ImageFit>(text, out var named) && Enum.IsDefined(named) ? named : null);
        return new ModelTraits(activation, Count(VisionHeadsKey), Count(TextHeadsKey), Count(ImageResolutionKey), filter, family, fit);
    }

    /// <summary>Whether metadata says all of a model that is not OpenAI's.</summary>
    public static bool IsIn(IReadOnlyDictionary<string, string> metadata) => metadata.ContainsKey(ActivationKey);

    /// <summary>Both together.</summary>
    /// <exception cref="UserErrorException">They contradict each other.</exception>
    internal ModelTraits With(ModelTraits other, string source)
    {
        T? One<T>(T? mine, T? theirs, string what) =>
            mine is null ? theirs
            : theirs is null || mine.Equals(theirs) ? mine
            : throw new UserErrorException(
                $"{source}: {what} is said to be {mine} in one place and {theirs} in another; "
                    + "keep the description that belongs to these weights"
            );
        return new ModelTraits(
            One(Activation, other.Activation, "the activation"),
            One(VisionHeads, other.VisionHeads, "the number of heads of the vision tower"),
            One(TextHeads, other.TextHeads, "the number of heads of the text tower"),
            One(ImageResolution, other.ImageResolution, "the number of pixels a side"),
            One(Filter, other.Filter, "the filter of the resize"),
            One(Family, other.Family, "the kind of model"),
            One(Fit, other.Fit, "the resize of pictures that are not square")
        );
    }

    /// <summary>A model of these sizes and traits; what is not known is as in OpenAI's models.</summary>
    /// <exception cref="UserErrorException">Heads do not divide the width, or patches do not fit the pixels.</exception>
    internal ClipArchitecture Applied(ClipArchitecture sizes, string source)
    {
        int Heads(int? given, int width, int ordinary, string tower) =>
            given is not { } heads ? ordinary
            : width % heads == 0 ? heads
            : throw new UserErrorException(
                $"{source}: {heads} heads do not divide the {tower} tower's width of {width}; "
                    + "name the number of heads that the model was trained with"
            );
        if (ImageResolution is { } side && side / sizes.PatchSize != sizes.Grid)
        {
            throw new UserErrorException(
                $"{source}: an image of {side} pixels a side is said to belong to weights with {sizes.Grid} patches "
                    + $"of {sizes.PatchSize} pixels a side; keep the description that belongs to these weights"
            );
        }

        if (Family is { } family && family != sizes.Family && sizes.Family != ClipFamily.OpenAi)
        {
            throw new UserErrorException(
                $"{source}: is said to be a {family}, and its tensors are a {sizes.Family}'s; "
                    + "keep the description that belongs to these weights"
            );
        }

        return (sizes with { Family = Family ?? sizes.Family }) with
        {
            Fit = Fit ?? sizes.Fit,
            ImageResolution = ImageResolution ?? sizes.ImageResolution,
            Filter = Filter ?? sizes.Filter,
            Activation = Activation ?? sizes.Activation,
            VisionHeads = Heads(VisionHeads, sizes.VisionWidth, sizes.VisionHeads, "vision"),
            TextHeads = Heads(TextHeads, sizes.TextWidth, sizes.TextHeads, "text"),
        };
    }
}
