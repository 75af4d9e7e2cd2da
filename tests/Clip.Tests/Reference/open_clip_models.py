#!/usr/bin/env python3
"""Tiny models of open_clip's own code, and what it computes with them: open_clip_models.py SOURCES OUT

SOURCES is the folder src of a checkout of mlfoundations/open_clip; torch and numpy are needed, torchvision is not. Each case is a folder with
open_clip_config.json, open_clip_model.safetensors and expected.safetensors."""
import json, pathlib, sys, types
from functools import partial
import torch
from safetensors_file import save

sys.path.insert(0, sys.argv[1])
package = types.ModuleType("open_clip")  # its __init__ wants much that is not needed here
package.__path__ = [sys.argv[1] + "/open_clip"]
sys.modules["open_clip"] = package
for name in ("torchvision", "torchvision.ops", "torchvision.ops.misc"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["torchvision.ops.misc"].FrozenBatchNorm2d = torch.nn.BatchNorm2d
if not hasattr(torch.nn.functional, "scaled_dot_product_attention"):  # before PyTorch 2.0
    def attend(query, key, value, attn_mask=None, dropout_p=0.0, **_):
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        return (scores if attn_mask is None else scores + attn_mask).softmax(-1) @ value
    torch.nn.functional.scaled_dot_product_attention = attend
from open_clip.layers import QuickGELU
from open_clip.transformer import TextTransformer, VisionTransformer


def write(folder, config, seed):
    torch.manual_seed(seed)
    model, vision, text = config["model_cfg"], config["model_cfg"]["vision_cfg"], config["model_cfg"]["text_cfg"]

    def activation(tower):
        return QuickGELU if model.get("quick_gelu") else partial(torch.nn.GELU, **tower.get("act_kwargs", {}))

    visual = VisionTransformer(vision["image_size"], vision["patch_size"], vision["width"], vision["layers"], vision["width"] // vision.get("head_width", 64),
                               vision.get("mlp_ratio", 4.0), output_dim=model["embed_dim"], act_layer=activation(vision)).eval()
    texts = TextTransformer(text["context_length"], text["vocab_size"], text["width"], text["heads"], text["layers"], text.get("mlp_ratio", 4.0),
                            output_dim=model["embed_dim"], act_layer=activation(text),
                            **({"pool_type": "eos", "eos_id": text["eos_id"]} if text.get("pool_type") == "eos" else {})).eval()
    with torch.no_grad():
        for parameter in [*visual.parameters(), *texts.parameters()]:
            # Large enough that activations reach where the functions differ.
            parameter.copy_(torch.randn(parameter.shape) * (0.25 if parameter.ndim > 1 else 0.5) + (1 if parameter.ndim == 1 and parameter.mean() == 1 else 0))
        blocks = []
        for tower in (visual, texts):
            for block in tower.transformer.resblocks:
                block.register_forward_hook(lambda _, __, output: blocks.append(output))
        pixels = torch.randn(2, 3, vision["image_size"], vision["image_size"])
        tokens = torch.randint(1, text["vocab_size"] - 1, (3, text["context_length"]))
        last, behind = (text["eos_id"], 1) if "eos_id" in text else (text["vocab_size"] - 1, 0)
        if "eos_id" in text:  # its ids below 4 stand for no word
            tokens = torch.randint(4, text["vocab_size"] - 1, (3, text["context_length"]))
        for row, end in enumerate((2, 7, text["context_length"] - 1)):
            tokens[row, end] = last
            tokens[row, end + 1:] = behind
        expected = {"pixels": pixels, "tokens": tokens, "image_features": visual(pixels), "text_features": texts(tokens)}
        for layer in range(vision["layers"]):
            expected[f"vision.{layer}"] = blocks[layer]
    folder.mkdir(parents=True, exist_ok=True)
    weights = {"visual." + name: value for name, value in visual.state_dict().items()}
    weights |= {name: value for name, value in texts.state_dict().items() if name != "attn_mask"}
    weights["logit_scale"] = torch.tensor(2.6592)
    save(folder / "open_clip_model.safetensors", weights)
    save(folder / "expected.safetensors", expected)
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")


def config(vision, text, **more):
    return {"model_cfg": {"embed_dim": 24, "vision_cfg": {"image_size": 24, "patch_size": 8, "layers": 2, **vision},
                          "text_cfg": {"context_length": 16, "vocab_size": 64, "layers": 2, **text}, **more}}


out = pathlib.Path(sys.argv[2])
# As LAION's ViT-g: GELU, heads that are not 64 wide, MLPs that are not 4 times as wide.
write(out / "gelu", config({"width": 48, "head_width": 24, "mlp_ratio": 2.5}, {"width": 40, "heads": 5}), 1)
write(out / "tanh", config({"width": 32, "head_width": 16, "act_kwargs": {"approximate": "tanh"}}, {"width": 32, "heads": 2, "act_kwargs": {"approximate": "tanh"}}), 2)
write(out / "quick", config({"width": 32, "head_width": 8}, {"width": 24, "heads": 3, "mlp_ratio": 3}, quick_gelu=True), 3)
# As MetaCLIP 2: texts end in an id that is not the largest.
write(out / "worldwide", config({"width": 32, "head_width": 16}, {"width": 24, "heads": 3, "hf_tokenizer_name": "facebook/xlm-v-base", "pool_type": "eos", "eos_id": 2}, quick_gelu=True), 4)
