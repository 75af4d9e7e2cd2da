#!/usr/bin/env python3
"""Tiny autoencoders of other programs' own code, and what it computes with them: autoencoders.py DICTIONARY_LEARNING OVERCOMPLETE OUT

The first two are checkouts of saprmarks/dictionary_learning and KempnerInstitute/overcomplete; torch and numpy are needed, einops is not. Each case is a folder
with the file that its program saves and expected.safetensors."""
import json, pathlib, sys, types
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent.parent / "Clip.Tests" / "Reference"))
from safetensors_file import save

WIDTH, LATENTS, K = 6, 10, 3
out = pathlib.Path(sys.argv[3])


def package(name, path):  # their __init__ want much that is not needed here
    module = types.ModuleType(name)
    module.__path__ = [path]
    sys.modules[name] = module


for name, root in (("dictionary_learning", sys.argv[1]), ("overcomplete", sys.argv[2])):
    package(name, f"{root}/{name}")
package("dictionary_learning.trainers", f"{sys.argv[1]}/dictionary_learning/trainers")
package("overcomplete.sae", f"{sys.argv[2]}/overcomplete/sae")
sys.modules["einops"] = types.ModuleType("einops")
sys.modules["einops"].rearrange = None
from dictionary_learning.dictionary import AutoEncoder, AutoEncoderNew, GatedAutoEncoder, JumpReluAutoEncoder
from dictionary_learning.trainers.top_k import AutoEncoderTopK
from dictionary_learning.trainers.batch_top_k import BatchTopKSAE
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKSAE
import overcomplete.sae.factory  # registers the encoders
from overcomplete.sae.base import SAE
sys.modules["overcomplete.sae"].SAE = SAE
from overcomplete.sae.topk_sae import TopKSAE
from overcomplete.sae.jump_sae import JumpSAE


def expected(folder, model, codes):
    torch.manual_seed(9)
    x = torch.randn(40, WIDTH)
    latents = codes(x)
    save(folder / "expected.safetensors", {"x": x, "latents": latents, "reconstruction": model.decode(latents)})


def of_dictionary_learning(name, model, seed, lengths=1.0):
    torch.manual_seed(seed)
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if key not in ("decoder.weight", "W_dec"):
                parameter.copy_(0.4 * torch.randn_like(parameter))
        for key in ("decoder.weight", "W_dec"):
            if key in dict(model.named_parameters()):
                parameter = dict(model.named_parameters())[key]
                rows = torch.randn(LATENTS, WIDTH)
                rows = rows / rows.norm(dim=1, keepdim=True) * (1 + (lengths - 1) * torch.rand(LATENTS, 1))
                parameter.copy_(rows.T if key == "decoder.weight" else rows)
        if "threshold" in dict(model.named_buffers()):
            model.threshold.fill_(0.3)
    torch.save(model.state_dict(), folder / "ae.pt")
    (folder / "config.json").write_text(json.dumps({"trainer": {"dict_class": type(model).__name__, "activation_dim": WIDTH, "dict_size": LATENTS, "k": K}}) + "\n")
    with torch.no_grad():
        expected(folder, model, model.encode)


def of_overcomplete(name, model, seed):
    torch.manual_seed(seed)
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if value.is_floating_point() and "dictionary" not in key:
                value.copy_(torch.rand_like(value) + 0.5 if "running_var" in key else 0.6 * torch.randn_like(value))
        model.dictionary._weights.copy_(torch.randn(LATENTS, WIDTH))
        if model.dictionary.multiplier.requires_grad:
            model.dictionary.multiplier.fill_(0.3)
        model.eval()
        torch.save(model, folder / "sae.pt")
        expected(folder, model, lambda x: model.encode(x)[1])


of_dictionary_learning("relu", AutoEncoder(WIDTH, LATENTS), 1)
of_dictionary_learning("relu-new", AutoEncoderNew(WIDTH, LATENTS), 2, lengths=3)
of_dictionary_learning("gated", GatedAutoEncoder(WIDTH, LATENTS), 3, lengths=2)
of_dictionary_learning("jumprelu", JumpReluAutoEncoder(WIDTH, LATENTS), 4, lengths=2)
of_dictionary_learning("topk", AutoEncoderTopK(WIDTH, LATENTS, K), 5)
of_dictionary_learning("batch-topk", BatchTopKSAE(WIDTH, LATENTS, K), 6)
of_dictionary_learning("matryoshka", MatryoshkaBatchTopKSAE(WIDTH, LATENTS, K, [4, 6]), 7)
of_overcomplete("overcomplete-relu", SAE(WIDTH, LATENTS), 8)
of_overcomplete("overcomplete-topk", TopKSAE(WIDTH, LATENTS, top_k=K), 9)
of_overcomplete("overcomplete-tied", TopKSAE(WIDTH, LATENTS, top_k=K).tied(bias=True), 10)
of_overcomplete("overcomplete-jumprelu", JumpSAE(WIDTH, LATENTS), 11)
of_overcomplete("overcomplete-multiplier", TopKSAE(WIDTH, LATENTS, top_k=K, dictionary_params={"use_multiplier": True}), 12)
of_overcomplete("overcomplete-batch-norm", TopKSAE(WIDTH, LATENTS, top_k=K, encoder_module="mlp_bn_1"), 13)
