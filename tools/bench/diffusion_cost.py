"""Counted floating-point operations of a run; a multiply with an add counts as two.

Only matrix products, convolutions and attention count, as in torch's `FlopCounterMode`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from svad.config.diffusion import DiffusionConfig
from svad.diffusion.sizes import CLIP_IMAGE, LATENT_CHANNELS, Sizes
from svad.diffusion.windows import padded_frames, windows
from tools.bench.flops import attend, conv, linear


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Operations of each part of a run, once each, and how often the run calls it."""

    guided_call: int  # video UNet, one window, both rows
    guided_calls: int
    free_call: int  # video UNet, one window, the conditional row alone
    free_calls: int
    time_step: int  # time embedding and its projections
    time_steps: int
    condition: int  # appearance UNet, projected image token and bank
    image_token: int
    pose_picture: int  # pose guider, one skeleton
    pose_pictures: int
    encode: int  # autoencoder, the photo
    decode_frame: int
    decoded_frames: int

    @property
    def loop(self) -> int:
        """All steps on all windows."""
        calls = self.guided_call * self.guided_calls + self.free_call * self.free_calls
        return calls + self.time_step * self.time_steps

    @property
    def total(self) -> int:
        once = self.condition + self.image_token + self.encode
        pictures = self.pose_picture * self.pose_pictures + self.decode_frame * self.decoded_frames
        return self.loop + once + pictures


def cost(config: DiffusionConfig, frames: int = 189, sizes: Sizes | None = None) -> Cost:
    """Operations of a run of so many frames, as `Sampler` does it."""
    sizes = sizes or Sizes()
    h, w = config.height // 8, config.width // 8
    padded = padded_frames(frames, config.context, config.overlap)
    parts = windows(padded, config.context, config.overlap, stride=config.stride)
    guided = sum(config.guides(step) for step in range(config.steps))
    window = len(parts[0])
    return Cost(
        guided_call=call_flops(sizes, window, h, w, rows=2),
        guided_calls=guided * len(parts),
        free_call=call_flops(sizes, window, h, w, rows=1),
        free_calls=(config.steps - guided) * len(parts),
        time_step=time_flops(sizes),
        time_steps=config.steps,
        condition=condition_flops(sizes, h, w),
        image_token=token_flops(sizes),
        pose_picture=pose_flops(sizes, h, w),
        pose_pictures=frames,
        encode=encode_flops(sizes, h, w),
        decode_frame=decode_flops(sizes, h, w),
        decoded_frames=frames,
    )


@dataclass(frozen=True)
class Place:
    """Where something is computed in a UNet."""

    kind: str  # resnet, spatial, temporal or sampler
    inputs: int  # channels
    width: int  # channels
    pixels: int


def places(sizes: Sizes, h: int, w: int) -> Iterator[Place]:
    """All parts of a UNet between its first convolution and its head, in order."""
    widths, blocks = sizes.block_out_channels, sizes.layers_per_block
    deepest = len(widths) - 1
    areas = [(h, w)]
    for _ in range(deepest):
        rows, columns = areas[-1]
        areas.append(((rows + 1) // 2, (columns + 1) // 2))
    pixels = [a * b for a, b in areas]

    def level(inputs: list[int], i: int) -> Iterator[Place]:
        for c in inputs:
            yield Place("resnet", c, widths[i], pixels[i])
            if i < deepest:
                yield Place("spatial", widths[i], widths[i], pixels[i])
            yield Place("temporal", widths[i], widths[i], pixels[i])

    width, skips = widths[0], [widths[0]]
    for i, out in enumerate(widths):
        yield from level([width] + [out] * (blocks - 1), i)
        skips += [out] * blocks
        if i < deepest:
            yield Place("sampler", out, out, pixels[i + 1])
            skips.append(out)
        width = out
    for kind in ("resnet", "spatial", "temporal", "resnet"):
        yield Place(kind, width, width, pixels[deepest])
    for i in reversed(range(len(widths))):
        yield from level([c + skips.pop() for c in [width] + [widths[i]] * blocks], i)
        if i > 0:
            yield Place("sampler", widths[i], widths[i], pixels[i - 1])
        width = widths[i]


def call_flops(sizes: Sizes, frames: int, h: int, w: int, *, rows: int, lean: bool = True) -> int:
    """One call of the video UNet on a window; two rows = guided, one = conditional alone.

    With `lean` false it is what the published program computes: the unconditional row goes
    through the long attention, too, and is then computed anew; the bank is projected for each
    frame; the attention to the image token is computed for each pixel.
    """
    n, c0 = rows * frames, sizes.block_out_channels[0]
    total = conv((frames if lean else n) * h * w, LATENT_CHANNELS, c0)
    total += conv(n * h * w, c0, LATENT_CHANNELS)
    for p in places(sizes, h, w):
        if p.kind == "spatial":
            total += n * _transformer(p)
            extra = _lean_attention if lean else _published_attention
            total += frames * extra(p, rows)
            total += 0 if lean else n * _token_attention(p, sizes)
        elif p.kind == "temporal":
            total += rows * _temporal(p, frames)
        else:
            total += n * _convolutions(p)
    if not lean:
        total += rows * time_flops(sizes)
    return total


def time_flops(sizes: Sizes) -> int:
    """Time embedding and what it adds in each residual block, once per step."""
    time = sizes.time_width
    heads = sum(linear(1, time, p.width) for p in places(sizes, 8, 8) if p.kind == "resnet")
    return linear(1, sizes.block_out_channels[0], time) + linear(1, time, time) + heads


def condition_flops(sizes: Sizes, h: int, w: int) -> int:
    """Appearance UNet for one row as far as needed; image token for both UNets; bank."""
    total = conv(h * w, LATENT_CHANNELS, sizes.block_out_channels[0]) + time_flops(sizes)
    spatial = [p for p in places(sizes, h, w) if p.kind == "spatial"]
    for p in places(sizes, h, w):
        if p.kind in ("resnet", "sampler"):
            total += _convolutions(p)
    for p in spatial:
        project = linear(p.pixels, p.width, p.width)
        total += 2 * project  # into and out of the tokens
        if p is not spatial[-1]:  # where nothing after the first norm is needed
            total += 4 * project + attend(p.pixels, p.pixels, p.width)
            total += _feed_forward(p.pixels, p.width)
        total += 2 * project  # the bank's keys and values
        token = linear(1, sizes.cross_attention_dim, p.width) + linear(1, p.width, p.width)
        total += 3 * token  # for one row of this UNet and two of the video UNet
    return total


def token_flops(sizes: Sizes) -> int:
    """Image encoder, one photo."""
    c = sizes.clip
    patches = (CLIP_IMAGE // c.patch) ** 2
    tokens = patches + 1
    layer = 4 * linear(tokens, c.hidden, c.hidden) + attend(tokens, tokens, c.hidden)
    layer += 2 * linear(tokens, c.hidden, c.intermediate)
    first = linear(patches, 3 * c.patch**2, c.hidden)
    return first + c.layers * layer + linear(1, c.hidden, c.proj)


def pose_flops(sizes: Sizes, h: int, w: int) -> int:
    """Pose guider, one skeleton of 8h x 8w pixels."""
    widths = sizes.pose_channels
    pixels = h * w * 64
    total = conv(pixels, 3, widths[0])
    for width, out in pairwise(widths):
        total += conv(pixels, width, width)
        pixels //= 4
        total += conv(pixels, width, out)
    return total + conv(pixels, widths[-1], sizes.block_out_channels[0])


def encode_flops(sizes: Sizes, h: int, w: int) -> int:
    """Autoencoder, one picture of 8h x 8w pixels to its latent."""
    widths, layers = sizes.vae_channels, sizes.vae_layers
    pixels = h * w * 4 ** (len(widths) - 1)
    total, width = conv(pixels, 3, widths[0]), widths[0]
    for i, out in enumerate(widths):
        total += _convolutions(Place("resnet", width, out, pixels))
        total += (layers - 1) * _convolutions(Place("resnet", out, out, pixels))
        if i < len(widths) - 1:
            pixels //= 4
            total += conv(pixels, out, out)
        width = out
    moments = 2 * LATENT_CHANNELS
    ends = conv(pixels, width, moments) + linear(pixels, moments, moments)
    return total + _vae_middle(width, pixels) + ends


def decode_flops(sizes: Sizes, h: int, w: int) -> int:
    """Autoencoder, one latent to a frame of 8h x 8w pixels."""
    widths, pixels = sizes.vae_channels[::-1], h * w
    total = linear(pixels, LATENT_CHANNELS, LATENT_CHANNELS)
    total += conv(pixels, LATENT_CHANNELS, widths[0]) + _vae_middle(widths[0], pixels)
    width = widths[0]
    for i, out in enumerate(widths):
        total += _convolutions(Place("resnet", width, out, pixels))
        total += sizes.vae_layers * _convolutions(Place("resnet", out, out, pixels))
        if i < len(widths) - 1:
            pixels *= 4
            total += conv(pixels, out, out)
        width = out
    return total + conv(pixels, width, 3)


def _convolutions(p: Place) -> int:
    """A residual block or a resampling convolution on one frame."""
    if p.kind == "sampler":
        return conv(p.pixels, p.inputs, p.width)
    shortcut = linear(p.pixels, p.inputs, p.width) if p.inputs != p.width else 0
    return conv(p.pixels, p.inputs, p.width) + conv(p.pixels, p.width, p.width) + shortcut


def _feed_forward(tokens: int, width: int) -> int:
    return linear(tokens, width, 8 * width) + linear(tokens, 4 * width, width)


def _transformer(p: Place) -> int:
    """A spatial transformer on one frame without its attentions."""
    return 2 * linear(p.pixels, p.width, p.width) + _feed_forward(p.pixels, p.width)


def _lean_attention(p: Place, rows: int) -> int:
    """Attention of one frame in all rows; only the last row reads the bank."""
    project = 4 * linear(p.pixels, p.width, p.width)
    return rows * project + (rows + 1) * attend(p.pixels, p.pixels, p.width)


def _published_attention(p: Place, rows: int) -> int:
    project, own = linear(p.pixels, p.width, p.width), attend(p.pixels, p.pixels, p.width)
    return rows * (6 * project + 2 * own) + (rows - 1) * (4 * project + own)


def _token_attention(p: Place, sizes: Sizes) -> int:
    token = 2 * linear(1, sizes.cross_attention_dim, p.width)
    return token + 2 * linear(p.pixels, p.width, p.width) + attend(p.pixels, 1, p.width)


def _temporal(p: Place, frames: int) -> int:
    """A temporal module on one window of one row."""
    tokens = p.pixels * frames
    attention = 4 * linear(tokens, p.width, p.width) + p.pixels * attend(frames, frames, p.width)
    ends = 2 * linear(tokens, p.width, p.width)
    return ends + 2 * attention + _feed_forward(tokens, p.width)


def _vae_middle(width: int, pixels: int) -> int:
    """Two residual blocks and an attention between them."""
    attention = 4 * linear(pixels, width, width) + attend(pixels, pixels, width)
    return 2 * _convolutions(Place("resnet", width, width, pixels)) + attention
