"""Super-resolution of frames: the person's box without seams, or published tiles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from svad.config.restoration import TileConfig
from svad.geometry.sampling import smoothstep
from svad.restoration.enlarge import enlarge, enlarge_sharpened
from svad.restoration.rrdb import FACTOR, RRDBNet

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels

TILE, CONTEXT = 400, 10  # px, of the published program
FAINT = 16  # of 255; a matte below it is noise
BORDER = 16.0  # px over which the network's part of a frame goes over into the rest


class Upsampler:
    """Enlarges frames with the network, on its device and in its precision."""

    def __init__(self, network: RRDBNet, plan: TileConfig) -> None:
        self.network, self.plan = network, plan

    def together(self, box: Box) -> int:
        """So many frames are worth a call of `enlarge`."""
        return max(1, self.plan.pixels // max(1, (box[2] - box[0]) * (box[3] - box[1])))

    @torch.no_grad()
    def enlarge(
        self,
        frames: np.ndarray,  # [B, H, W, 3] uint8
        size: tuple[int, int],  # height, width of the result
        box: Box,  # from `aligned_box`: all that is worth the network
        tick: Callable[[], None] | None = None,  # called before each call of the network
    ) -> np.ndarray:  # [B, height, width, 3] uint8
        """The box by the network, resampled once; the rest without, with a soft border."""
        height, width = frames.shape[1:3]
        weight = self._weight()
        x = _padded(torch.from_numpy(frames).to(weight.device).permute(0, 3, 1, 2).float() / 255)
        x0, y0, x1, y1 = box
        part = self.double(x[:, :, y0:y1, x0:x1].to(weight.dtype), tick)
        canvas = x.new_zeros(len(x), 3, *(FACTOR * n for n in x.shape[2:]))
        canvas[:, :, FACTOR * y0 : FACTOR * y1, FACTOR * x0 : FACTOR * x1] = part
        large = _resampled(canvas[:, :, : FACTOR * height, : FACTOR * width], size)
        share = _resampled(_box_share(box, (height, width)).to(x.device)[None, None], size)
        rest = torch.from_numpy(np.stack([enlarge_sharpened(frame, size) for frame in frames]))
        rest = rest.to(x.device).permute(0, 3, 1, 2)
        mixed = share * 255 * large.clamp(0, 1) + (1 - share) * rest
        return mixed.round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()

    def double(
        self,
        x: Tensor,  # [B, 3, h, w] RGB in 0..1, h and w even
        tick: Callable[[], None] | None = None,
    ) -> Tensor:  # [B, 3, 2 h, 2 w] float32
        """The network on a few pictures at a time, whole if they are small, else in tiles."""
        height, width = x.shape[2:]
        plan = self.plan
        if height * width <= plan.pixels:
            return self._calls(x, tick)
        rows, columns = (spans(n, plan) for n in (height, width))
        total = x.new_zeros(len(x), 3, FACTOR * height, FACTOR * width, dtype=torch.float32)
        weights = total.new_zeros(1, 1, *total.shape[2:])
        for top, bottom in rows:
            for left, right in columns:
                found = self._calls(x[:, :, top:bottom, left:right], tick)
                down, across = (
                    span_weight(span, n, plan).to(found)
                    for span, n in (((top, bottom), height), ((left, right), width))
                )
                window = down[:, None] * across
                place = (slice(None), slice(None), *_doubled((top, bottom), (left, right)))
                total[place] += window * found
                weights[place] += window
        return total / weights

    @torch.no_grad()
    def published(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        size: tuple[int, int],  # height, width of the result
        tile: int = TILE,  # px; 0 = no tiles
        context: int = CONTEXT,  # px around a tile that the network sees too
        tick: Callable[[], None] | None = None,  # called before each call of the network
    ) -> np.ndarray:  # [height, width, 3] uint8
        """The whole frame as the published program does it, seams of its tiles included."""
        height, width = rgb.shape[:2]
        weight = self._weight()
        x = torch.from_numpy(np.ascontiguousarray(rgb)).to(weight.device).permute(2, 0, 1)[None]
        x = _padded(x.float() / 255).to(weight.dtype)
        large = self._tiled(x, tile or max(x.shape[2:]), context, tick or (lambda: None))
        large = large[0, :, : FACTOR * height, : FACTOR * width].float().clamp(0, 1)
        picture = (large * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        return picture if picture.shape[:2] == size else enlarge(picture, size)

    def _tiled(self, x: Tensor, tile: int, context: int, tick: Callable[[], None]) -> Tensor:
        height, width = x.shape[2:]
        result = x.new_zeros(1, 3, FACTOR * height, FACTOR * width)
        for top in range(0, height, tile):
            for left in range(0, width, tile):
                bottom, right = min(top + tile, height), min(left + tile, width)
                y, x0 = max(top - context, 0), max(left - context, 0)
                seen = x[:, :, y : bottom + context, x0 : right + context]
                tick()
                found = self.network(seen)
                rows, columns = _doubled((top - y, bottom - y), (left - x0, right - x0))
                place = (slice(None), slice(None), *_doubled((top, bottom), (left, right)))
                result[place] = found[:, :, rows, columns]
        return result

    def _calls(self, x: Tensor, tick: Callable[[], None] | None) -> Tensor:
        found = []
        for part in x.split(max(1, self.plan.pixels // (x.shape[2] * x.shape[3]))):
            if tick is not None:
                tick()
            part = part.contiguous(memory_format=torch.channels_last)
            found.append(self.network(part).float())
        return torch.cat(found)

    def _weight(self) -> Tensor:
        return self.network.conv_first.weight


def aligned_box(
    mattes: np.ndarray,  # [T, H, W] uint8
    margin: int = 24,  # px around the person
    step: int = 8,  # px; edges are multiples, so that noise in the matte does not move the box
) -> Box | None:
    """The box of a person over several frames, inside the frame padded to even sides."""
    seen = (mattes > FAINT).any(0)
    if not seen.any():
        return None
    found = []
    for axis, length in ((0, seen.shape[1]), (1, seen.shape[0])):
        line = np.flatnonzero(seen.any(axis))
        low = max(0, (int(line[0]) - margin) // step * step)
        high = -(-(int(line[-1]) + 1 + margin) // step) * step
        found.append((low, min(high, length + length % 2)))
    (x0, x1), (y0, y1) = found
    return x0, y0, x1, y1


def spans(length: int, plan: TileConfig) -> list[tuple[int, int]]:
    """Even starts and ends of equal tiles that cover `length` pixels."""
    if length <= plan.tile:
        return [(0, length)]
    count = -(-(length - plan.overlap) // (plan.tile - plan.overlap))
    starts = np.linspace(0, (length - plan.tile) / 2, count)
    return [(2 * round(start), 2 * round(start) + plan.tile) for start in starts]


def span_weight(
    span: tuple[int, int], length: int, plan: TileConfig
) -> Tensor:  # [2 (end - start)]
    """How much a tile counts along one axis of the result: 1, softly less at inner edges."""
    start, end = span
    place = torch.arange(FACTOR * (end - start), dtype=torch.float32) / FACTOR + 0.25
    ramp = plan.overlap - 2 * plan.blind
    weight = torch.ones_like(place)
    for inner, away in ((start > 0, place), (end < length, end - start - place)):
        if inner:
            rise = ((away - plan.blind) / ramp).clamp(1e-6, 1)
            weight = weight * smoothstep(rise)
    return weight


def _padded(x: Tensor) -> Tensor:
    """Reflects one row or column, where a side is odd."""
    height, width = x.shape[2:]
    return F.pad(x, (0, width % 2, 0, height % 2), mode="reflect")


def _box_share(box: Box, size: tuple[int, int]) -> Tensor:  # [2 H, 2 W]
    """1 inside the box, falling to 0 over a few pixels at edges that are not the frame's."""
    height, width = size
    x0, y0, x1, y1 = box
    lines = []
    for low, high, length in ((y0, y1, height), (x0, x1, width)):
        place = torch.arange(FACTOR * length, dtype=torch.float32) / FACTOR + 0.25
        rise = torch.ones_like(place)
        if low > 0:
            rise = rise.minimum((place - low - 2) / BORDER)
        if high < length:
            rise = rise.minimum((high - place - 2) / BORDER)
        lines.append(rise.clamp(0, 1))
    return smoothstep(lines[0][:, None] * lines[1])


def _resampled(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Cubic, with the filter that shrinking needs."""
    if tuple(x.shape[2:]) == size:
        return x
    return F.interpolate(x, size, mode="bicubic", antialias=True)


def _doubled(*spans: tuple[int, int]) -> tuple[slice, ...]:
    return tuple(slice(FACTOR * start, FACTOR * end) for start, end in spans)
