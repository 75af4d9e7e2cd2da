using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class ContrastiveLossTests : IDisposable
{
    private const int Width = 6;

    /// <summary>Seven images with three different captions.</summary>
    private static readonly long[] Caption = [0, 1, 0, 2, 1, 0, 2];

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _images;
    private readonly Tensor _texts;
    private readonly Tensor _logitScale = tensor(1.3f, requires_grad: true);

    public ContrastiveLossTests()
    {
        using var generator = new Generator(2, CPU);
        _images = randn(Caption.Length, Width, generator: generator).requires_grad_();
        _texts = randn(3, Width, generator: generator).requires_grad_();
    }

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    [InlineData(0.6)]
    public void It_equals_the_plain_matrix_of_all_pairs_with_equal_captions_as_positives(double smoothing) =>
        Loss(smoothing).item<float>().ShouldBe(Naive(smoothing).item<float>(), 1e-5f);

    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    public void Its_gradients_are_those_of_the_plain_matrix(double smoothing)
    {
        Loss(smoothing).backward();
        Tensor[] actual = [_images.grad!.clone(), _texts.grad!.clone(), _logitScale.grad!.clone()];
        foreach (var leaf in new[] { _images, _texts, _logitScale })
        {
            leaf.grad!.zero_();
        }

        Naive(smoothing).backward();
        foreach (var (mine, plain) in actual.Zip([_images.grad!, _texts.grad!, _logitScale.grad!]))
        {
            (mine - plain).abs().max().item<float>().ShouldBeLessThan(1e-5f);
        }
    }

    [Fact]
    public void Different_captions_all_the_way_give_cross_entropy_with_the_diagonal()
    {
        var (some, caption) = (_images.narrow(0, 0, 3), arange(3));
        var logits = _logitScale.exp() * Unit(some).matmul(Unit(_texts).t());
        var expected = (nn.functional.cross_entropy(logits, caption) + nn.functional.cross_entropy(logits.t(), caption)) / 2;

        ContrastiveLoss.Symmetric(some, _texts, caption, _logitScale).item<float>().ShouldBe(expected.item<float>(), 1e-6f);
    }

    [Fact]
    public void The_scale_is_clamped_to_a_hundred()
    {
        var at100 = ContrastiveLoss.Symmetric(_images, _texts, tensor(Caption), tensor((float)Math.Log(100)));
        var above = ContrastiveLoss.Symmetric(_images, _texts, tensor(Caption), tensor(9f));

        above.item<float>().ShouldBe(at100.item<float>(), 1e-3f);
    }

    [Fact]
    public void The_losses_of_images_average_to_the_image_half()
    {
        var perImage = ContrastiveLoss.PerImage(_images, _texts, tensor(Caption), _logitScale);
        var logits = _logitScale.exp() * Unit(_images).matmul(Unit(_texts.index_select(0, tensor(Caption))).t());
        var expected = -(Positives() * logits.log_softmax(1)).sum(1);

        perImage.shape.ShouldBe([Caption.Length]);
        (perImage - expected).abs().max().item<float>().ShouldBeLessThan(1e-5f);
    }

    // Upstream: logits = normalize(images·textsᵀ), by row for each side, and their product over the temperature; the target is the
    // diagonal.
    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    public void Upstreams_loss_compares_normalised_rows_of_logits(double smoothing)
    {
        var cosines = Unit(_images).matmul(Unit(_texts.index_select(0, tensor(Caption))).t());
        var logits = Unit(cosines).matmul(Unit(cosines.t()).t()) / 0.07;
        var target = ((1 - smoothing) * eye(Caption.Length)) + (smoothing / Caption.Length);
        var expected = (-(target * logits.log_softmax(1)).sum(1).mean() - (target * logits.t().log_softmax(1)).sum(1).mean()) / 2;

        ContrastiveLoss.Compat(_images, _texts, tensor(Caption), smoothing).item<float>().ShouldBe(expected.item<float>(), 1e-4f);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    public void The_sigmoid_loss_and_its_gradients_equal_the_plain_matrix_of_all_pairs_with_equal_captions_as_matches(double smoothing)
    {
        var bias = tensor(-2.5f, requires_grad: true);
        Tensor[] leaves = [_images, _texts, _logitScale, bias];
        var loss = ContrastiveLoss.Pairwise(_images, _texts, tensor(Caption), _logitScale, bias, smoothing);
        loss.backward();
        Tensor[] actual = [.. leaves.Select(leaf => leaf.grad!.clone())];
        foreach (var leaf in leaves)
        {
            leaf.grad!.zero_();
        }

        var logits = _logitScale.exp() * Unit(_images).matmul(Unit(_texts).t()).index_select(1, tensor(Caption)) + bias;
        var matches = tensor(Caption).unsqueeze(1).eq(tensor(Caption).unsqueeze(0)).to(ScalarType.Float32);
        var target = matches * (1 - smoothing) + (smoothing / Caption.Length);
        var plain = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction: nn.Reduction.Sum) / Caption.Length;
        plain.backward();

        loss.item<float>().ShouldBe(plain.item<float>(), 1e-5f);
        foreach (var (mine, expected) in actual.Zip(leaves.Select(leaf => leaf.grad!)))
        {
            (mine - expected).abs().max().item<float>().ShouldBeLessThan(1e-5f);
        }
    }

    // transformers' SiglipModel with return_loss (tests/Clip.Tests/Reference/transformers_models.py).
    [Theory]
    [InlineData("siglip")]
    [InlineData("siglip_even")]
    public void The_sigmoid_loss_is_that_of_transformers(string name)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Reference", "transformers", name);
        using var model = Clip.Model.ClipModel.Load(folder);
        using var expected = Tensors.SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        var (embeddings, captions) = (
            model.EncodeImage(expected.Read("pixels")),
            model.EncodeText(expected.Read("tokens").narrow(0, 0, 2))
        );

        ContrastiveLoss
            .Of(TuningLoss.Symmetric, embeddings, captions, arange(2), model, 0)
            .item<float>()
            .ShouldBe(expected.Read("loss").item<float>(), 1e-4f);
        ContrastiveLoss
            .PerImage(embeddings, captions, arange(2), model)
            .mean()
            .item<float>()
            .ShouldBe(expected.Read("loss").item<float>(), 1e-4f);
    }

    private Tensor Loss(double smoothing) => ContrastiveLoss.Symmetric(_images, _texts, tensor(Caption), _logitScale, smoothing);

    /// <summary>
    /// Every image against every image's caption; an image's target is spread evenly over the captions that equal its own.
    /// </summary>
    private Tensor Naive(double smoothing)
    {
        var logits = _logitScale.exp() * Unit(_images).matmul(Unit(_texts.index_select(0, tensor(Caption))).t());
        var target = ((1 - smoothing) * Positives()) + (smoothing / Caption.Length);
        var imageToText = -(target * logits.log_softmax(1)).sum(1).mean();
        var textToImage = -(target * logits.t().log_softmax(1)).sum(1).mean();
        return (imageToText + textToImage) / 2;
    }

    private static Tensor Positives()
    {
        var equal = tensor(Caption).unsqueeze(0).eq(tensor(Caption).unsqueeze(1)).to(ScalarType.Float32);
        return equal / equal.sum(1, keepdim: true);
    }

    private static Tensor Unit(Tensor rows) => rows / rows.norm(1, keepdim: true);
}
