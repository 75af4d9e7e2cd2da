using ClipSae.Tensors.Torch;
using TorchSharp;

namespace ClipSae.Tensors.Tests;

/// <summary>
/// Checkpoints as training programs leave them, written by PyTorch 1.13: NumPy numbers and arrays, a path, a date, arguments, a loss that
/// is a tensor, and an optimizer's tensors beside the weights a = [[0, 1, 2], [3, 4, 5]] and b.c = [1, -2].
/// </summary>
public sealed class TrainingCheckpointTests
{
    [Theory]
    [InlineData("training.pt", TorchFileKind.Zip, "")]
    [InlineData("training.legacy.pt", TorchFileKind.Legacy, "")]
    [InlineData("nested.pt", TorchFileKind.Zip, "module.")]
    public void The_state_dict_is_found_beside_everything_else(string name, TorchFileKind kind, string prefix)
    {
        using var scope = torch.NewDisposeScope();
        using var file = TorchFile.Open(Reference.File(name));

        file.Kind.ShouldBe(kind);
        file.Entries.Keys.ShouldBe([prefix + "a", prefix + "b.c"], ignoreOrder: true);
        file.Read(prefix + "a").Equals(torch.arange(6f).view(2, 3)).ShouldBeTrue();
        file.Read(prefix + "b.c").data<float>().ToArray().ShouldBe([1, -2]);
        file.Modules.ShouldBeEmpty();
    }

    [Fact]
    public void Modules_of_a_pickled_model_are_told_with_their_class_and_plain_attributes()
    {
        using var file = TorchFile.Open(Reference.File("openai_clip_tiny.gmp.whole_model_pickle.pt"));
        var modules = file.Modules.ToDictionary(module => module.Path);

        modules["visual.transformer.resblocks.2.mlp.gelu"].Class.ShouldBe("QuickGELU");
        modules["visual.transformer.resblocks.2.attn"].Class.ShouldBe("MultiheadAttention");
        modules["visual.transformer.resblocks.2.attn"].Attributes["num_heads"].ShouldBe(2L);
        modules["transformer.resblocks.0.attn"].Attributes["num_heads"].ShouldBe(1L);
        modules["ln_final"].Attributes["eps"].ShouldBe(1e-5);
    }
}
