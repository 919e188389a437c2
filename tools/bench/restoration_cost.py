"""Counted floating-point operations of the restoration stage, by network and for a clip.

A multiply with an add counts as two. Only matrix products, convolutions and attention count, as in
torch's `FlopCounterMode`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from svad.config.restoration import RestorationConfig
from svad.pose.drive import PAPER_FRAMES
from svad.restoration.control import HINT, HINT_STRIDES
from svad.restoration.restorer import CROP
from svad.restoration.sizes import LATENT_CHANNELS, LAYERS, PIXELS, Sizes
from tools.bench.flops import attend, conv, depthwise, linear

RRDB_WIDTH, RRDB_GROWTH, RRDB_BLOCKS = 64, 32, 23  # of the published x2 file
PARSE_WIDTHS = (64, 128, 256, 256, 256)  # of the parsing network, from fine to coarse
PARSE_BODY = 10  # its residual blocks at the coarsest level
PARSE_CLASSES = 19
RESNET_LAYERS = ((64, 3), (128, 4), (256, 6), (512, 3))  # inner width and blocks of ResNet-50
DETECT_WIDTH = 256  # of the feature pyramid
DETECT_HEADS = 2 * (2 + 4 + 10)  # outputs of a cell: two anchors' classes, boxes and landmarks
# the published run: frames of 1080 x 1080 in tiles of 400 with 10 px of context
PUBLISHED_SIDE, PUBLISHED_TILE, PUBLISHED_CONTEXT = 1080, 400, 10
PUBLISHED_STEPS = 50


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Operations of each part of a run."""

    sampling: int  # UNet and control branch, all steps of all faces
    once: int  # what is computed once for a run or once a face: prompt, keys, values, hints
    decoding: int  # autoencoder
    parsing: int
    detection: int
    background: int  # the enlarging network

    @property
    def total(self) -> int:
        faces = self.sampling + self.once + self.decoding
        return faces + self.parsing + self.detection + self.background


@dataclass(frozen=True, kw_only=True)
class ClipSize:
    """What a run has to do."""

    frames: int
    faces: int  # that are restored; as many frames are searched for them
    width: int = 768  # px, of a frame
    height: int = 768  # px
    # part of a frame's area that is enlarged by the network: the box of a person in the A-pose
    # who fills four fifths of the height, with a margin
    box: float = 0.5


def turning_clip(
    config: RestorationConfig,
    turn: np.ndarray,  # [T] degrees, of the driving sequence
    width: int = 768,
    height: int = 768,
    box: float = 0.5,
) -> ClipSize:
    """The clip that a driving sequence gives, as far as its yaw shows the face."""
    yaw = (np.asarray(turn) + 180) % 360 - 180
    faces = int(np.sum(np.abs(yaw) <= config.max_yaw))
    return ClipSize(frames=len(yaw), faces=faces, width=width, height=height, box=box)


def cost(config: RestorationConfig, clip: ClipSize, sizes: Sizes | None = None) -> Cost:
    """Operations of a clip as this stage restores it."""
    sizes = sizes or Sizes()
    side = CROP // PIXELS
    step = unet_flops(sizes, side, side) + control_flops(sizes, side, side)
    fixed = config.steps * (moments_flops(sizes) + modulation_flops(sizes))
    fixed += prompt_flops(sizes, config.steps)
    return Cost(
        sampling=clip.faces * config.steps * step,
        once=fixed + clip.faces * hint_flops(sizes, side, side),
        decoding=clip.faces * decode_flops(sizes, side, side),
        parsing=clip.faces * parse_flops(CROP, CROP),
        detection=clip.faces * detect_flops(clip.height, clip.width),
        background=round(clip.frames * clip.box * enlarge_flops(clip.height, clip.width)),
    )


def published_cost(frames: int = PAPER_FRAMES) -> Cost:
    """The published run: one face in every frame, alone, and everything anew at each step."""
    sizes, side = Sizes(), CROP // PIXELS
    step = unet_flops(sizes, side, side) + control_flops(sizes, side, side)
    anew = moments_flops(sizes) + modulation_flops(sizes) + hint_flops(sizes, side, side)
    anew += prompt_flops(sizes, 1, lean=False)
    calls = frames * PUBLISHED_STEPS
    tiles = math.ceil(PUBLISHED_SIDE / PUBLISHED_TILE)
    padded = PUBLISHED_SIDE + 2 * (tiles - 1) * PUBLISHED_CONTEXT  # all tiles with their context
    return Cost(
        sampling=calls * step,
        once=calls * anew,
        decoding=frames * decode_flops(sizes, side, side),
        parsing=frames * parse_flops(CROP, CROP),
        detection=frames * detect_flops(PUBLISHED_SIDE, PUBLISHED_SIDE),
        background=frames * enlarge_flops(padded, padded),
    )


def unet_flops(sizes: Sizes, h: int, w: int) -> int:
    """One face, one step, without what depends on the timestep alone."""
    c0 = sizes.block_out_channels[0]
    total = conv(h * w, LATENT_CHANNELS, c0) + conv(h * w, c0, LATENT_CHANNELS)
    for p in places(sizes, h, w):
        if p.kind == "resnet":
            total += _residual(p.pixels, p.inputs, p.width)
        elif p.kind == "sampler":
            total += conv(p.pixels, p.inputs, p.width)
        else:
            n, c = p.pixels, p.width
            total += 8 * linear(n, c, c)  # ends, four of self-, two of cross-attention
            total += attend(n, n, c) + attend(n, sizes.prompt_tokens, c)
            total += linear(n, c, 8 * c) + linear(n, 4 * c, c)
    return total


def moments_flops(sizes: Sizes) -> int:
    """Time embedding, shifts, keys and values of the prompt, once a step."""
    time, c0 = sizes.time_width, sizes.block_out_channels[0]
    total = linear(1, c0, time) + linear(1, time, time)
    for p in places(sizes, 8, 8):
        if p.kind == "resnet":
            total += linear(1, time, p.width)
        elif p.kind == "transformer":
            total += 2 * linear(sizes.prompt_tokens, sizes.prompt_width, p.width)
    return total


def prompt_flops(sizes: Sizes, steps: int, *, lean: bool = True) -> int:
    """The prompt at so many timesteps; not lean: with the attention that cannot matter."""
    tokens, width, hidden = sizes.prompt_tokens, sizes.prompt_width, sizes.prompt_hidden
    learned = linear(tokens, width, hidden) + linear(tokens, hidden, hidden)
    out = linear(tokens, hidden, hidden) + linear(tokens, hidden, width)
    time = linear(1, sizes.block_out_channels[0], hidden) + linear(1, hidden, hidden)
    if lean:
        return learned + steps * (time + 2 * linear(1, hidden, hidden) + out)
    attention = 4 * linear(tokens, hidden, hidden) + attend(tokens, tokens, hidden)
    return steps * (learned + time + attention + out)


def hint_flops(sizes: Sizes, h: int, w: int) -> int:
    """The control branch's view of one face."""
    pixels, total = h * w * PIXELS**2, 0
    widths = (3, *HINT, sizes.block_out_channels[0])
    for (inputs, outputs), stride in zip(pairwise(widths), HINT_STRIDES, strict=True):
        pixels //= stride**2
        total += conv(pixels, inputs, outputs)
    return total


def modulation_flops(sizes: Sizes) -> int:
    """What a timestep fixes in the control branch, once a step."""
    time, (c1, c2, c3, c4) = sizes.control_time_width, sizes.block_out_channels
    blocks = sum(linear(1, time, 6 * c) for c in (c1, c1, c2, c2, c3, c3, c4, c4, c4))
    return linear(1, c1, time) + linear(1, time, time) + linear(1, time, c1) + blocks


def control_flops(sizes: Sizes, h: int, w: int) -> int:
    """One face, one step, of the control branch, without its view of the face."""
    widths, heads = sizes.block_out_channels, sizes.control_heads
    areas = [(h >> i) * (w >> i) for i in range(4)]

    def block(level: int) -> int:
        n, c = areas[level], widths[level]
        inner = int(sizes.ffn_expansion * c)
        attention = linear(n, c, 4 * c) + depthwise(n, 3 * c) + attend(n, c // heads[level], c)
        ffn = linear(n, c, 3 * inner) + depthwise(n, 2 * inner)
        return attention + ffn + linear(n, inner, inner) + linear(n, inner, c)

    total = conv(areas[0], LATENT_CHANNELS, widths[0]) + _residual(areas[0], widths[0], widths[0])
    for level in (0, 1, 2, 3, 3, 3, 2, 1, 0):
        total += block(level) + linear(areas[level], widths[level], widths[level])
    for i in range(3):
        fine, coarse = widths[i], widths[i + 1]
        total += conv(areas[i + 1], fine, coarse) + conv(areas[i], coarse, fine)
        total += linear(areas[i], 2 * fine, fine)
    return total


def decode_flops(sizes: Sizes, h: int, w: int) -> int:
    """Autoencoder, one latent to a picture of 8h x 8w pixels."""
    widths, n = sizes.vae_channels[::-1], h * w
    c = widths[0]
    total = linear(n, LATENT_CHANNELS, LATENT_CHANNELS) + conv(n, LATENT_CHANNELS, c)
    total += 2 * _residual(n, c, c) + 4 * linear(n, c, c) + attend(n, n, c)
    for i, out in enumerate(widths):
        total += _residual(n, c, out) + sizes.vae_layers * _residual(n, out, out)
        if i < len(widths) - 1:
            n *= 4
            total += conv(n, out, out)
        c = out
    return total + conv(n, c, 3)


def parse_flops(h: int, w: int) -> int:
    """ParseNet on one picture: residual blocks down, at the coarsest level, and up again."""
    n, total = h * w, conv(h * w, 3, PARSE_WIDTHS[0])
    for fine, coarse in pairwise(PARSE_WIDTHS):
        total += conv(n, fine, coarse) + conv(n // 4, coarse, coarse) + conv(n // 4, fine, coarse)
        n //= 4
    total += PARSE_BODY * 2 * conv(n, PARSE_WIDTHS[-1], PARSE_WIDTHS[-1])
    for coarse, fine in pairwise(PARSE_WIDTHS[::-1]):
        n *= 4
        total += 2 * conv(n, coarse, fine) + conv(n, fine, fine)
    return total + conv(n, PARSE_WIDTHS[0], PARSE_CLASSES) + conv(n, PARSE_WIDTHS[0], 3)


def detect_flops(h: int, w: int) -> int:
    """RetinaFace on one picture: ResNet-50, feature pyramid, three heads."""

    def half(size: tuple[int, int]) -> tuple[int, int]:
        return (size[0] + 1) // 2, (size[1] + 1) // 2

    size = half((h, w))
    total = linear(math.prod(size), 49 * 3, 64)
    size = half(size)
    inputs = 64
    for level, (inner, blocks) in enumerate(RESNET_LAYERS):
        before = math.prod(size)
        size = half(size) if level else size
        n = math.prod(size)
        total += linear(before, inputs, inner) + linear(n, inputs, 4 * inner)  # first, shortcut
        total += (blocks - 1) * linear(n, 4 * inner, inner)
        total += blocks * (conv(n, inner, inner) + linear(n, inner, 4 * inner))
        inputs = 4 * inner
        if level:
            c = DETECT_WIDTH
            total += linear(n, inputs, c) + linear(n, c, DETECT_HEADS)
            total += conv(n, c, c // 2) + conv(n, c, c // 4) + 3 * conv(n, c // 4, c // 4)
            if level < len(RESNET_LAYERS) - 1:
                total += conv(n, c, c)  # merged with the coarser level
    return total


def enlarge_flops(h: int, w: int) -> int:
    """RRDBNet x2 on one picture; it works at half the picture's size."""
    n, c, g = (h + 1) // 2 * ((w + 1) // 2), RRDB_WIDTH, RRDB_GROWTH
    dense = sum(conv(n, c + i * g, g) for i in range(4)) + conv(n, c + 4 * g, c)
    total = conv(n, 3 * 4, c) + 3 * RRDB_BLOCKS * dense + conv(n, c, c)
    return total + conv(4 * n, c, c) + 2 * conv(16 * n, c, c) + conv(16 * n, c, 3)


@dataclass(frozen=True)
class Place:
    """Where something is computed in the UNet."""

    kind: str  # resnet, transformer or sampler
    inputs: int  # channels
    width: int  # channels
    pixels: int


def places(sizes: Sizes, h: int, w: int) -> Iterator[Place]:
    """All parts of the UNet between its first convolution and its head, in order."""
    widths, attended = sizes.block_out_channels, sizes.attention_levels
    pixels = [(h >> i) * (w >> i) for i in range(len(widths))]

    def level(inputs: list[int], i: int) -> Iterator[Place]:
        for c in inputs:
            yield Place("resnet", c, widths[i], pixels[i])
            if i < attended:
                yield Place("transformer", widths[i], widths[i], pixels[i])

    width, skips, last = widths[0], [widths[0]], len(widths) - 1
    for i, out in enumerate(widths):
        yield from level([width] + [out] * (LAYERS - 1), i)
        skips += [out] * LAYERS
        if i < last:
            yield Place("sampler", out, out, pixels[i + 1])
            skips.append(out)
        width = out
    for kind in ("resnet", "transformer", "resnet"):
        yield Place(kind, width, width, pixels[last])
    for i in reversed(range(len(widths))):
        yield from level([c + skips.pop() for c in [width] + [widths[i]] * LAYERS], i)
        if i > 0:
            yield Place("sampler", widths[i], widths[i], pixels[i - 1])
        width = widths[i]


def _residual(pixels: int, inputs: int, width: int) -> int:
    shortcut = linear(pixels, inputs, width) if inputs != width else 0
    return conv(pixels, inputs, width) + conv(pixels, width, width) + shortcut
