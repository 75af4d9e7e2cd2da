#!/usr/bin/env python3
"""Tiny models of transformers' own code, and what it computes with them: transformers_models.py SOURCES OUT

SOURCES is the folder src/transformers of a checkout of huggingface/transformers (made with 4.57; metaclip_2 with what became 5.0); torch and numpy are needed. Its modelling code is run as it is; what it
imports beside itself (tokenizers, downloading, decorators) is replaced by stand-ins that compute nothing. Each case is a folder with config.json, model.safetensors and
expected.safetensors."""
import importlib.abc, importlib.machinery, json, pathlib, sys, types
import torch
from safetensors_file import save

sources, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
REAL = ("activations", *(f"models.{family}.{part}_{family}" for family in ("clip", "siglip", "metaclip_2") for part in ("configuration", "modeling")))


def decorator(*given, **_):
    return given[0] if len(given) == 1 and callable(given[0]) and not _ else lambda decorated: decorated


class Result:
    def __init__(self, **values):
        self.__dict__.update(values)

    def __getattr__(self, name):  # what was not asked for is None there
        if name.startswith("__"):
            raise AttributeError(name)


class Config:
    def __init__(self, **values):
        self.__dict__.update({"_attn_implementation": "eager", "output_attentions": False, "output_hidden_states": False, **values})


class Model(torch.nn.Module):
    def __init__(self, config, *_, **__):
        super().__init__()
        self.config = config

    def post_init(self):
        pass

    @classmethod
    def _from_config(cls, config):
        return cls(config)


def causal(input_embeds, **_):
    size = input_embeds.shape[1]
    return torch.full((size, size), float("-inf")).triu(1)[None, None]


STAND_INS = {
    "PreTrainedConfig": Config, "PreTrainedModel": Model, "GradientCheckpointingLayer": torch.nn.Module, "ModelOutput": Result, "BaseModelOutput": Result,
    "BaseModelOutputWithPooling": Result, "ImageClassifierOutput": Result, "ALL_ATTENTION_FUNCTIONS": {}, "create_causal_mask": causal,
    "Unpack": type("Unpack", (), {"__class_getitem__": classmethod(lambda cls, item: item)}), "TransformersKwargs": object, "is_torchdynamo_compiling": lambda: False,
    "logging": types.SimpleNamespace(get_logger=lambda _: types.SimpleNamespace(info=print, warning=print)), "torch_int": int,
}


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name == "transformers" or name.startswith("transformers."):
            inside = name.partition(".")[2]
            if inside in REAL:
                return importlib.machinery.ModuleSpec(name, importlib.machinery.SourceFileLoader(name, str(sources / (inside.replace(".", "/") + ".py"))))
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__path__ = []
        module.__getattr__ = lambda name: STAND_INS.get(name, decorator) if not name.startswith("__") else (_ for _ in ()).throw(AttributeError(name))
        return module

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Finder())
from transformers.models.clip.configuration_clip import CLIPConfig
from transformers.models.clip.modeling_clip import CLIPModel
from transformers.models.metaclip_2.configuration_metaclip_2 import MetaClip2Config
from transformers.models.metaclip_2.modeling_metaclip_2 import MetaClip2Model
from transformers.models.siglip.configuration_siglip import SiglipConfig
from transformers.models.siglip.modeling_siglip import SiglipModel


def write(folder, config, model, seed):
    torch.manual_seed(seed)
    vision, text = config["vision_config"], config["text_config"]
    model = model.eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # Large enough that activations reach where the functions differ.
            parameter.copy_(torch.randn(parameter.shape) * (0.25 if parameter.ndim > 1 else 0.5) + (1 if parameter.ndim == 1 and parameter.mean() == 1 else 0))
        blocks = []
        for layer in model.vision_model.encoder.layers:
            layer.register_forward_hook(lambda _, __, output: blocks.append(output))
        pixels = torch.randn(2, 3, vision["image_size"], vision["image_size"])
        tokens = torch.randint(3, text["vocab_size"] - 1, (3, text["max_position_embeddings"]))
        last, behind = {"siglip": (1, 1), "metaclip_2": (2, 1)}.get(config["model_type"], (text["vocab_size"] - 1, 0))
        for row, end in enumerate((2, 7, text["max_position_embeddings"] - 1)):
            tokens[row, end] = last
            tokens[row, end + 1:] = behind
        image, texts = model.get_image_features(pixel_values=pixels), model.get_text_features(input_ids=tokens)
        features = lambda output: output.pooler_output if isinstance(output, Result) else output
        expected = {"pixels": pixels, "tokens": tokens, "image_features": features(image), "text_features": features(texts)}
        for layer in range(vision["num_hidden_layers"]):
            expected[f"vision.{layer}"] = blocks[layer]
        if config["model_type"] == "metaclip_2":
            expected["logits"] = model(input_ids=tokens, pixel_values=pixels).logits_per_image
        if config["model_type"] == "siglip":
            expected["logits"] = model(input_ids=tokens, pixel_values=pixels).logits_per_image
            expected["loss"] = model(input_ids=tokens[:2], pixel_values=pixels, return_loss=True).loss
    folder.mkdir(parents=True, exist_ok=True)
    save(folder / "model.safetensors", {name: value for name, value in model.state_dict().items() if not name.endswith("position_ids")})
    save(folder / "expected.safetensors", expected)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def clip(name, seed, vision, text, projection):
    config = {"model_type": "clip", "projection_dim": projection, "vision_config": {"image_size": 24, "patch_size": 8, "num_hidden_layers": 2, "projection_dim": projection, **vision},
              "text_config": {"max_position_embeddings": 16, "vocab_size": 64, "eos_token_id": 63, "num_hidden_layers": 2, "projection_dim": projection, **text}}
    whole = CLIPConfig(text_config=config["text_config"], vision_config=config["vision_config"], projection_dim=projection)
    write(out / name, config, CLIPModel(whole), seed)


clip("gelu", 1, {"hidden_size": 48, "num_attention_heads": 2, "intermediate_size": 120, "hidden_act": "gelu"},
     {"hidden_size": 40, "num_attention_heads": 5, "intermediate_size": 160, "hidden_act": "gelu"}, 24)
clip("quick", 2, {"hidden_size": 48, "num_attention_heads": 6, "intermediate_size": 100, "hidden_act": "quick_gelu"},
     {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64, "hidden_act": "quick_gelu"}, 16)
clip("tanh", 3, {"hidden_size": 48, "num_attention_heads": 3, "intermediate_size": 64, "hidden_act": "gelu_pytorch_tanh"},
     {"hidden_size": 24, "num_attention_heads": 1, "intermediate_size": 96, "hidden_act": "gelu_pytorch_tanh"}, 20)

# As the hub has MetaCLIP 2: what equals CLIP's is left out, but not the id that texts end in. The vocabulary of sentencepiece_models.py.
config = {"model_type": "metaclip_2", "projection_dim": 24,
          "vision_config": {"image_size": 24, "patch_size": 8, "num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 3, "intermediate_size": 112, "hidden_act": "gelu"},
          "text_config": {"max_position_embeddings": 32, "vocab_size": 332, "eos_token_id": 2, "num_hidden_layers": 2, "hidden_size": 40, "num_attention_heads": 5,
                          "intermediate_size": 96, "hidden_act": "gelu"}}
write(out / "metaclip_2", config, MetaClip2Model(MetaClip2Config(text_config=dict(config["text_config"]), vision_config=dict(config["vision_config"]), projection_dim=24)), 6)


def siglip(name, seed, vision, text):
    config = {"model_type": "siglip", "vision_config": {"patch_size": 8, "num_hidden_layers": 2, **vision},
              "text_config": {"max_position_embeddings": 16, "num_hidden_layers": 2, **text}}
    write(out / name, config, SiglipModel(SiglipConfig(text_config=dict(config["text_config"]), vision_config=dict(config["vision_config"]))), seed)


# Pixels that no whole patch covers, as in So400m/14 of 384 pixels; towers of different widths, as in the giant. Vocabularies of sentencepiece_models.py.
siglip("siglip", 4, {"image_size": 28, "hidden_size": 48, "num_attention_heads": 2, "intermediate_size": 100},
       {"hidden_size": 40, "num_attention_heads": 5, "intermediate_size": 96, "projection_size": 48, "vocab_size": 500})
siglip("siglip_even", 5, {"image_size": 24, "hidden_size": 32, "num_attention_heads": 1, "intermediate_size": 96},
       {"hidden_size": 32, "num_attention_heads": 1, "intermediate_size": 96, "vocab_size": 700})
