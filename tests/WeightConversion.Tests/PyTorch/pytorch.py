"""PyTorch and transformers themselves, for PyTorchTests: `write FOLDER` leaves files for ClipSae to read, `read FOLDER` reads what ClipSae wrote."""

import json
import pathlib
import sys
from collections import OrderedDict

import torch
from safetensors.torch import load_file, save_file
from tokenizers import processors
from torch import nn


def adapt_tokenizers():
    """Debian's tokenizers call an argument cls_token that transformers calls cls."""
    original = processors.RobertaProcessing
    processors.RobertaProcessing = lambda sep, cls, **rest: original(sep, cls, **rest)


class QuickGelu(nn.Module):
    def forward(self, x: torch.Tensor):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, mask):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, width // 64)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(OrderedDict(c_fc=nn.Linear(width, 4 * width), gelu=QuickGelu(), c_proj=nn.Linear(4 * width, width)))
        self.ln_2 = nn.LayerNorm(width)
        self.register_buffer("attn_mask", mask, persistent=False)

    def forward(self, x: torch.Tensor):
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=self.attn_mask)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, mask):
        super().__init__()
        self.resblocks = nn.Sequential(*[Block(width, mask) for _ in range(layers)])

    def forward(self, x: torch.Tensor):
        return self.resblocks(x.permute(1, 0, 2)).permute(1, 0, 2)


class Vision(nn.Module):
    def __init__(self, resolution, patch, width, layers, embed):
        super().__init__()
        tokens = (resolution // patch) ** 2 + 1
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width) / 8)
        self.positional_embedding = nn.Parameter(torch.randn(tokens, width) / 8)
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, torch.zeros(tokens, tokens))
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.randn(width, embed) / 8)

    def forward(self, x: torch.Tensor):
        x = self.conv1(x).flatten(2).permute(0, 2, 1)
        x = torch.cat([self.class_embedding.expand(x.shape[0], 1, -1), x], 1) + self.positional_embedding
        return self.ln_post(self.transformer(self.ln_pre(x))[:, 0]) @ self.proj


class Clip(nn.Module):
    """OpenAI's architecture and names."""

    def __init__(self, embed=64, resolution=32, vision_layers=2, vision_width=128, patch=8, context=77, vocabulary=514, width=64, layers=2):
        super().__init__()
        self.visual = Vision(resolution, patch, vision_width, vision_layers, embed)
        self.transformer = Transformer(width, layers, torch.full((context, context), float("-inf")).triu(1))
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.positional_embedding = nn.Parameter(torch.randn(context, width) / 8)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.randn(width, embed) / 8)
        self.logit_scale = nn.Parameter(torch.tensor(2.6592))

    def forward(self, image: torch.Tensor, text: torch.Tensor):
        x = self.ln_final(self.transformer(self.token_embedding(text) + self.positional_embedding))
        return self.visual(image), x[torch.arange(x.shape[0]), text.argmax(-1)] @ self.text_projection

    @staticmethod
    def of(weights):
        """A model of the sizes of a state dict, which must fit it entirely."""
        layers = [len({key.split(".")[depth] for key in weights if key.startswith(start)}) for start, depth in (("visual.transformer.", 3), ("transformer.", 2))]
        width, _, patch, _ = weights["visual.conv1.weight"].shape
        grid = round((weights["visual.positional_embedding"].shape[0] - 1) ** 0.5)
        vocabulary, text_width = weights["token_embedding.weight"].shape
        embed, context = weights["text_projection"].shape[1], weights["positional_embedding"].shape[0]
        model = Clip(embed, grid * patch, layers[0], width, patch, context, vocabulary, text_width, layers[1])
        model.load_state_dict({key: value.float() for key, value in weights.items()}, strict=True)
        return model.eval()


def features(model, image, tokens):
    image, text = model.get_image_features(pixel_values=image), model.get_text_features(input_ids=tokens)
    return tuple(each if isinstance(each, torch.Tensor) else each.pooler_output for each in (image, text))


def write(folder):
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(0)
    model = Clip().eval()
    image, tokens = torch.randn(3, 3, 32, 32), torch.randint(1, 500, (4, 77))
    for row, end in enumerate((5, 12, 40, 76)):
        tokens[row, end], tokens[row, end + 1 :] = 513, 0
    expected = dict(zip(("image", "text"), model(image, tokens)))
    weights = model.state_dict()

    torch.save(weights, folder / "zip.pt")
    torch.save(weights, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({key: value.half() for key, value in weights.items()}, folder / "half.pt")
    torch.save({key: value.bfloat16() for key, value in weights.items()}, folder / "bfloat16.pt")
    torch.save(model, folder / "module.pt")
    torch.save(model, folder / "module.legacy.pt", _use_new_zipfile_serialization=False)
    optimizer = torch.optim.AdamW(model.parameters())
    model(image, tokens)[0].sum().backward()
    optimizer.step()
    model.load_state_dict(weights := load(folder / "zip.pt"))
    torch.save({"epoch": 3, "name": "clip", "state_dict": {"module." + key: value for key, value in weights.items()}, "optimizer": optimizer.state_dict()}, folder / "training.pt")
    torch.jit.save(torch.jit.trace(model, (image, tokens)), folder / "traced.pt")
    torch.jit.save(torch.jit.script(model), folder / "scripted.pt")
    save_file(weights, folder / "torch.safetensors")

    tower = dict(hidden_size=128, intermediate_size=512, num_attention_heads=2, num_hidden_layers=2, hidden_act="quick_gelu")
    text = dict(tower, vocab_size=514, max_position_embeddings=77, bos_token_id=512, eos_token_id=513)
    config = CLIPConfig(projection_dim=64, text_config=dict(text, projection_dim=64), vision_config=dict(tower, image_size=32, patch_size=8, projection_dim=64))
    other = CLIPModel(config).eval()
    other.save_pretrained(folder / "transformers")
    other.save_pretrained(folder / "sharded", max_shard_size="500KB")
    expected.update(zip(("transformers.image", "transformers.text"), features(other, image, tokens)))
    save_file({"images": image, "tokens": tokens, **{key: value.detach().contiguous() for key, value in expected.items()}}, folder / "expected.safetensors")


def load(path):
    return torch.load(path, weights_only=True)


def read(folder):
    from transformers import AutoProcessor, CLIPModel, CLIPTextModelWithProjection
    from PIL import Image

    adapt_tokenizers()
    inputs = load_file(folder / "inputs.safetensors")
    given = (inputs["images"], inputs["tokens"])
    answers = {}
    for name, weights in (("openai.pt", load(folder / "openai.pt")), ("openai.safetensors", load_file(folder / "openai.safetensors")), ("open_clip", load_file(folder / "open_clip/open_clip_model.safetensors"))):
        answers[name + ".image"], answers[name + ".text"] = Clip.of(weights)(*given)

    model = CLIPModel.from_pretrained(folder / "huggingface", dtype=torch.float32).eval()
    answers["huggingface.image"], answers["huggingface.text"] = features(model, *given)
    text = CLIPTextModelWithProjection(model.config.text_config).eval()
    text.load_state_dict({key: value.float() for key, value in load_file(folder / "text_encoder_with_projection.safetensors").items()}, strict=True)
    answers["text_encoder.text"] = text(input_ids=given[1]).text_embeds

    processor = AutoProcessor.from_pretrained(folder / "huggingface")
    answers["processor.tokens"] = processor.tokenizer(json.loads((folder / "texts.json").read_text()), padding="max_length", truncation=True, return_tensors="pt").input_ids
    answers["processor.pixels"] = processor.image_processor(Image.open(folder / "picture.png"), return_tensors="pt").pixel_values
    save_file({key: value.detach().contiguous() for key, value in answers.items()}, folder / "answers.safetensors")


with torch.no_grad() if sys.argv[1] == "read" else torch.enable_grad():
    {"write": write, "read": read}[sys.argv[1]](pathlib.Path(sys.argv[2]))
