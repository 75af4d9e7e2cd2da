using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.Clip.Tests;

public sealed class NullTokenTests : IDisposable
{
    private const int Width = 128;
    private static readonly ClipArchitecture Architecture = new(32, 16, 3, Width, 8, 16, 50, 64, 1);

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly ClipModel _model = ClipModel.Initialize(Architecture, 3);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("null-token");
    private readonly Tensor _images;
    private readonly Tensor _value;

    public NullTokenTests()
    {
        using var generator = new Generator(2, CPU);
        (_images, _value) = (randn([2, 3, 16, 16], generator: generator), randn(Width, generator: generator));
    }

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        _model.Dispose();
        _scope.Dispose();
    }

    // A plain reference: the blocks written out, with the token appended to the stream that the block takes.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void It_joins_the_tokens_before_its_block_in_training_and_in_inference(int block)
    {
        using var noGrad = no_grad();
        var stream = _model.Blocks(_images, null, block);
        stream = cat([stream, _value.expand(2, 1, Width)], 1);
        for (var layer = block; layer < 3; layer++)
        {
            stream = Block(layer, stream);
        }

        var weights = _model.StateDict();
        var expected = Norm(stream.select(1, 0), "visual.ln_post").matmul(weights["visual.proj"]);
        var plain = _model.EncodeImage(_images);

        _model.Attach(new NullToken(block, _value));
        var hooked = _model.EncodeImage(_images, new Hooks().Capture(new HookPoint.Residual(2)));
        using var plan = VisionPlan.Compile(_model);

        Difference(_model.EncodeImage(_images), expected).ShouldBe(0, 1e-5);
        Difference(hooked, expected).ShouldBe(0, 1e-5);
        Difference(plan.EncodeImage(_images), expected).ShouldBe(0, 1e-5);
        Difference(plain, expected).ShouldBeGreaterThan(1e-3);
        _model.DetachNullToken();
        _model.EncodeImage(_images).Equals(plain).ShouldBeTrue();
    }

    [Fact]
    public void It_is_saved_with_the_checkpoint_and_is_no_plain_weight()
    {
        using var token = new NullToken(1, _value.clone());
        _model.Attach(token);
        _model.ToGeometric();
        var file = Path.Combine(_folder.FullName, "model.safetensors");
        _model.Save(file);

        using var loaded = ClipModel.Load(file);
        using var checkpoint = ClipCheckpoint.Open(file);
        using var read = checkpoint.ReadNullToken();

        (loaded.NullToken!.Block, read!.Block).ShouldBe((1, 1));
        read.Value.Equals(_value).ShouldBeTrue();
        Difference(loaded.EncodeImage(_images), _model.EncodeImage(_images)).ShouldBe(0);
        loaded.PlainStateDict().Keys.ShouldNotContain(key => key.Contains("null"));
    }

    [Fact]
    public void Its_own_file_says_where_it_belongs_and_how_it_is_used()
    {
        var file = Path.Combine(_folder.FullName, NullToken.FileName);
        using var token = new NullToken(2, _value.clone());
        token.Save(file);

        using var loaded = NullToken.Load(file);

        loaded.Block.ShouldBe(2);
        loaded.Value.Equals(_value).ShouldBeTrue();
        new FileInfo(file).Length.ShouldBeLessThan((4 * Width) + 1000);
        System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file)).ShouldContain("before vision block 2 (from 0), append");
    }

    [Fact]
    public void Another_file_and_another_models_token_are_refused()
    {
        var file = Path.Combine(_folder.FullName, "model.safetensors");
        _model.Save(file);

        Should.Throw<UserErrorException>(() => NullToken.Load(file)).Message.ShouldContain("is not a null token");
        Should.Throw<UserErrorException>(() => _model.Attach(new NullToken(3, _value))).Message.ShouldContain("blocks 0 to 2 of width 128");
        Should.Throw<UserErrorException>(() => _model.Attach(new NullToken(1, _value.narrow(0, 0, 5)))).Message.ShouldContain("5 numbers");
    }

    private static double Difference(Tensor a, Tensor b) => (a - b).abs().max().item<float>();

    private Tensor Norm(Tensor x, string key) =>
        nn.functional.layer_norm(x, [Width], _model.StateDict()[key + ".weight"], _model.StateDict()[key + ".bias"]);

    private Tensor Block(int layer, Tensor x)
    {
        var (weights, block) = (_model.StateDict(), $"visual.transformer.resblocks.{layer}");
        Tensor Linear(Tensor input, string key, string ending = ".weight", string bias = ".bias") =>
            nn.functional.linear(input, weights[block + key + ending], weights[block + key + bias]);
        var parts = Linear(Norm(x, block + ".ln_1"), ".attn.in_proj", "_weight", "_bias").view(2, -1, 3, 2, 64).permute(2, 0, 3, 1, 4);
        var mixed = parts[0].matmul(parts[1].transpose(-1, -2)).div(8).softmax(-1).matmul(parts[2]).transpose(1, 2).reshape(2, -1, Width);
        x = x + Linear(mixed, ".attn.out_proj");
        var hidden = Linear(Norm(x, block + ".ln_2"), ".mlp.c_fc");
        return x + Linear(hidden * (hidden * 1.702f).sigmoid(), ".mlp.c_proj");
    }
}
