#!/usr/bin/env python3
"""What Pillow (made with 9.4) makes of the pictures beside it when both sides are resized to one length, as SiglipImageProcessor does: squashed.py"""
import pathlib
from PIL import Image

here = pathlib.Path(__file__).parent
(here / "squashed").mkdir(exist_ok=True)
for name, side in (("landscape", 48), ("upscaled", 160)):
    for kind in ("bilinear", "bicubic"):
        picture = Image.open(here / f"{name}.png").convert("RGB").resize((side, side), getattr(Image.Resampling, kind.upper()))
        picture.save(here / "squashed" / f"{name}.{side}.{kind}.png")
