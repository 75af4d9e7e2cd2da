"""The works of the GPU table in plain PyTorch, as a researcher would write them: no network, no weights, torch alone.

python3 peers.py [--device cuda:0] [--tiny] [gemm tower sae tuning ...]
Prints a line of JSON for each figure: key, value (units a second, more is better). Other lines are remarks.
"""
import argparse
import json
import math
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    print("python3 has no PyTorch: figures without its own")
    sys.exit(0)

arguments = argparse.ArgumentParser()
arguments.add_argument("--device", default="cuda:0")
arguments.add_argument("--tiny", action="store_true")
arguments.add_argument("works", nargs="*")
arguments = arguments.parse_args()
device, tiny = torch.device(arguments.device), arguments.tiny


def tell(key, value):
    print(json.dumps({"key": key, "value": value}), flush=True)


def wait():
    if device.type == "cuda":
        torch.cuda.synchronize()


def seconds(work, calls=4, rounds=1 if tiny else 5):
    """Seconds of one call, the median over rounds of several calls."""
    taken = []
    for _ in range(rounds + 1):
        wait()
        start = time.perf_counter()
        for _ in range(calls):
            work()
        wait()
        taken.append((time.perf_counter() - start) / calls)
    taken = sorted(taken[1:])
    return taken[len(taken) // 2]


def gemm():
    side = 256 if tiny else 8192
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
        tell(f"gemm/{name}", 2 * side**3 / seconds(lambda: a @ b) / 1e12)


class Block(nn.Module):
    """A pre-norm block of CLIP: attention over all tokens (or those before, for text), MLP with QuickGELU."""

    def __init__(self, width, heads, causal=False, geometric=False):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        linear = Geometric if geometric else nn.Linear
        self.up, self.down = linear(width, 4 * width), linear(4 * width, width)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(self.ln_1(x)).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v, is_causal=self.causal).transpose(1, 2).reshape(n, t, d))
        h = self.up(self.ln_2(x))
        return x + self.down(h * torch.sigmoid(1.702 * h))


class Geometric(nn.Module):
    """A linear layer as row lengths times unit rows."""

    def __init__(self, inputs, outputs):
        super().__init__()
        weight = torch.randn(outputs, inputs) / math.sqrt(inputs)
        self.r = nn.Parameter(weight.norm(dim=1, keepdim=True))
        self.theta = nn.Parameter(weight / self.r.detach())
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return F.linear(x, self.r * F.normalize(self.theta, dim=1), self.bias)


class Tower(nn.Module):
    def __init__(self, embed, side, layers, width, patch, geometric=False):
        super().__init__()
        tokens = (side // patch) ** 2 + 1
        self.patches = nn.Conv2d(3, width, patch, patch, bias=False)
        self.cls = nn.Parameter(torch.randn(width) * width**-0.5)
        self.positions = nn.Parameter(torch.randn(tokens, width) * width**-0.5)
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.Sequential(*(Block(width, max(width // 64, 1), geometric=geometric) for _ in range(layers)))
        self.proj = nn.Parameter(torch.randn(width, embed) * width**-0.5)

    def forward(self, images):
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.to(x.dtype).expand(len(x), 1, -1), x], 1) + self.positions.to(x.dtype)
        return self.ln_post(self.blocks(self.ln_pre(x))[:, 0]) @ self.proj.to(x.dtype)


def tower():
    sizes = (64, 32, 3, 128, 8) if tiny else (768, 224, 24, 1024, 14)
    model = Tower(*sizes).to(device, torch.bfloat16).eval()
    for name, run in (("", model), ("/compiled", None)):
        if run is None:
            if tiny or device.type != "cuda":
                return
            run = torch.compile(model)
        with torch.inference_mode():
            for batch in [4] if tiny else [8, 64, 256]:
                images = torch.randn(batch, 3, sizes[1], sizes[1], device=device, dtype=torch.bfloat16)
                try:
                    tell(f"tower/{batch}{name}", batch / seconds(lambda: run(images)))
                except Exception as error:  # a machine without a C compiler cannot compile
                    print(f"torch.compile failed: {str(error).splitlines()[0][:150]}")
                    return


class Autoencoder(nn.Module):
    def __init__(self, width, latents, k):
        super().__init__()
        self.k = k
        self.encoder = nn.Parameter(torch.randn(latents, width) / math.sqrt(width))
        self.decoder = nn.Parameter(self.encoder.detach().clone())
        self.bias, self.centre = nn.Parameter(torch.zeros(latents)), nn.Parameter(torch.zeros(width))

    def forward(self, x):
        z = F.linear(x - self.centre, self.encoder, self.bias)
        values, chosen = z.relu().topk(self.k, dim=1, sorted=False)
        dense = torch.zeros_like(z).scatter(1, chosen, values.to(z.dtype))
        return dense @ self.decoder.to(dense.dtype) + self.centre


def sae():
    shapes = [(32, 128, 4, 64)] if tiny else [(768, 16384, 32, 4096), (1024, 16384, 32, 8192), (1024, 32768, 64, 16384), (4096, 32768, 64, 4096)]
    for width, latents, k, batch in shapes:
        model = Autoencoder(width, latents, k).to(device)
        adam = torch.optim.Adam(model.parameters(), lr=2e-4, fused=device.type == "cuda")
        rows = torch.randn(batch, width, device=device)

        def step():
            with torch.autocast(device.type, dtype=torch.bfloat16):
                loss = (model(rows).float() - rows).pow(2).mean()
            loss.backward()
            adam.step()
            adam.zero_grad(set_to_none=True)
            with torch.no_grad():
                model.decoder.div_(model.decoder.norm(dim=1, keepdim=True))

        tell(f"sae/{width}/{latents}/{k}/{batch}", batch / seconds(step, 2))


def ablation():
    """Bytes of the processor through the tower and down again, batch by batch, as curation does it."""
    sizes = (64, 32, 3, 128, 8) if tiny else (768, 224, 24, 1024, 14)
    model = Tower(*sizes).to(device, torch.bfloat16).eval()
    images = 8 if tiny else 1024
    pixels = torch.randint(0, 256, (images, 3, sizes[1], sizes[1]), dtype=torch.uint8)

    def measure():
        with torch.inference_mode():
            for part in pixels.split(128):
                model(part.to(device).to(torch.bfloat16) / 255).argmax(1).cpu()

    tell("ablation/nothing", images / seconds(measure, 1))


class Clip(nn.Module):
    """Both towers, the MLPs in Geometric Parametrization if asked for; returns the symmetric contrastive loss."""

    def __init__(self, embed, side, layers, width, patch, context, vocabulary, text_width, text_layers, geometric=True):
        super().__init__()
        self.image = Tower(embed, side, layers, width, patch, geometric)
        self.tokens = nn.Embedding(vocabulary, text_width)
        self.positions = nn.Parameter(torch.randn(context, text_width) * 0.01)
        self.blocks = nn.Sequential(*(Block(text_width, max(text_width // 64, 1), True, geometric) for _ in range(text_layers)))
        self.ln_final = nn.LayerNorm(text_width)
        self.proj = nn.Parameter(torch.randn(text_width, embed) * text_width**-0.5)
        self.scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, images, tokens):
        x = self.ln_final(self.blocks(self.tokens(tokens) + self.positions[: tokens.shape[1]]))
        text = x[torch.arange(len(x), device=x.device), tokens.argmax(1)] @ self.proj.to(x.dtype)
        a, b = F.normalize(self.image(images).float(), dim=1), F.normalize(text.float(), dim=1)
        logits, target = self.scale.exp() * a @ b.T, torch.arange(len(a), device=a.device)
        return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


pretraining = "pretraining, 3.2 M parameters"


def tuning():
    # Texts of 8 tokens: captions are short, and ClipSae trims them so.
    shapes = {"demo": ((64, 64, 4, 128, 16, 16, 600, 128, 2), 128, ["float32"]), pretraining: ((64, 64, 6, 192, 16, 16, 600, 128, 2), 256, ["float32"])}
    if not tiny:
        shapes["ViT-B/32"] = (512, 224, 12, 768, 32, 77, 49408, 512, 12), 44, ["float32", "bfloat16"]
        shapes["ViT-L/14"] = (768, 224, 24, 1024, 14, 77, 49408, 768, 12), 44, ["bfloat16", "float32"]
    for name, (sizes, images, modes) in shapes.items():
        for mode in modes:
            model = Clip(*sizes, geometric=name != pretraining).to(device)
            adam = torch.optim.AdamW(model.parameters(), lr=1e-6, fused=device.type == "cuda")
            pixels = torch.randn(images, 3, sizes[1], sizes[1], device=device)
            tokens = torch.randint(1, 400, (images, 8), device=device)

            def step():
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=mode == "bfloat16"):
                    loss = model(pixels, tokens)
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                adam.step()
                adam.zero_grad(set_to_none=True)

            tell(f"tuning/{name}" if name == pretraining else f"tuning/{name}, {mode}", images / seconds(step))
            del model, adam
            if device.type == "cuda":
                torch.cuda.empty_cache()


known = {"gemm": gemm, "tower": tower, "sae": sae, "tuning": tuning, "ablation": ablation}
print(f"PyTorch {torch.__version__}", flush=True)
for work in arguments.works or known:
    if work in known:
        known[work]()
        if device.type == "cuda":
            torch.cuda.empty_cache()
