"""Head texture all around: an unwrapped map of hair and skin for what the photo shows badly."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from svad.geometry.sampling import bilinear_between
from svad.media.fields import blur, masked_blur, pull_push
from svad.relief.head_frame import RADIUS, HeadFrame

FINEST = 0.0011  # metres per cell
PAD = 24  # cells that are repeated across the seam at the back


@dataclass(frozen=True)
class Seen:
    """What the photo says about the head: one entry per pixel of the close-up."""

    u: np.ndarray  # [P] radians
    v: np.ndarray  # [P] metres downward
    rgb: np.ndarray  # [P, 3]
    trust: np.ndarray  # [P] 0..1, how squarely the pixel is seen
    hair: np.ndarray  # [P] bool
    pure: np.ndarray  # [P] bool, hair well away from skin
    skin: np.ndarray  # [P] bool
    odd: np.ndarray  # [P] bool, neither hair nor face: a slide, an earring


@dataclass(frozen=True)
class Strands:
    """What single hairs add to the tone of the photo's hair, and where it comes from."""

    detail: np.ndarray  # [h, w, 3] zero mean
    usable: np.ndarray  # [h, w] bool
    v: np.ndarray  # [h, w] metres downward


class HeadMap:
    """Colour and hair cover as functions of the unwrapped position on the head.

    What is seen squarely keeps the photo's colour; what only its mirror image shows takes that;
    all else is hair or skin of the nearest known tone, hair with the photo's own strands.
    """

    def __init__(
        self,
        frame: HeadFrame,
        seen: Seen,
        *,
        long: bool,
        cell: float,  # metres
        strands: Strands | None,  # None = the photo shows no hair
        seed: int,
    ) -> None:
        self.frame = frame
        self.cell = max(cell, FINEST)
        self.low = float(max(seen.v.max(), -frame.chin + 0.05)) + 0.01
        self.top = -0.5 * np.pi * RADIUS - 0.01
        self.columns = round(2 * np.pi * RADIUS / self.cell / 2) * 2
        self.rows = int(np.ceil((self.low - self.top) / self.cell))
        trusted = seen.trust
        full = self._scatter(seen, seen.rgb, trusted)
        hair = self._scatter(seen, seen.rgb, trusted * seen.pure)
        skin = self._scatter(seen, seen.rgb, trusted * seen.skin)
        kind = self._scatter(seen, seen.hair[:, None].astype(np.float32), 0.05 + trusted)
        covered = self._covered(*kind)
        self.hairy = self._cover(*kind, long, covered)
        tone_hair = self._spread(*hair) if hair[1].max() > 0 else self._spread(*full)
        tone_skin = self._spread(*skin) if skin[1].max() > 0 else tone_hair
        if strands is not None:
            detail = patchwork(
                (self.rows, self.columns), strands.detail, strands.usable, strands.v,
                self.top + (np.arange(self.rows) + 0.5) * self.cell, seed,
            )  # fmt: skip
            shade = tone_hair.mean(-1, keepdims=True)
            source = max(
                float(np.average(seen.rgb[seen.hair].mean(-1))) if seen.hair.any() else 0.3, 0.02
            )
            tone_hair = tone_hair + detail * np.clip(shade / source, 0.3, 1.2) * 0.8
        self.hair = np.clip(tone_hair, 0, 1)
        self.skin = np.clip(tone_skin, 0, 1)
        mixed = self.hair * self.hairy[..., None] + self.skin * (1 - self.hairy[..., None])
        odd = self._scatter(seen, seen.odd[:, None].astype(np.float32), 0.05 + trusted)
        self.rgb = self._with_seen(mixed, *full, kind, odd[0][..., 0] * (odd[1] > 0.05), covered)

    def _index(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        column = (u / (2 * np.pi) + 0.5) * self.columns - 0.5
        return column.astype(np.float32), ((v - self.top) / self.cell - 0.5).astype(np.float32)

    def _scatter(
        self, seen: Seen, values: np.ndarray, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:  # [R, C, k], [R, C]
        """Weighted mean of pixel values per cell, and the weight there (0..1)."""
        column, row = self._index(seen.u, seen.v)
        c = np.round(column).astype(int) % self.columns
        r = np.round(row).astype(int).clip(0, self.rows - 1)
        flat = r * self.columns + c
        n = self.rows * self.columns
        w = np.bincount(flat, weight, n).reshape(self.rows, self.columns).astype(np.float32)
        sums = np.stack(
            [np.bincount(flat, weight * values[:, k], n) for k in range(values.shape[1])], -1
        ).reshape(self.rows, self.columns, -1)
        wrap = self._wrapped
        w = cv2.GaussianBlur(wrap(w), (0, 0), 0.9)[:, PAD:-PAD]
        sums = np.stack(
            [cv2.GaussianBlur(wrap(sums[..., k].astype(np.float32)), (0, 0), 0.9)[:, PAD:-PAD]
             for k in range(values.shape[1])], -1
        )  # fmt: skip
        return sums / np.maximum(w, 1e-6)[..., None], np.clip(w / 0.2, 0, 1)

    def _wrapped(self, image: np.ndarray) -> np.ndarray:
        return np.concatenate([image[:, -PAD:], image, image[:, :PAD]], 1)

    def _spread(self, values: np.ndarray, weight: np.ndarray) -> np.ndarray:  # [R, C, k]
        """Known tones (and their mirror images, with less say) carried all around."""
        mirrored, w2 = values[:, ::-1], 0.6 * weight[:, ::-1]
        total = weight + w2
        mean = (values * weight[..., None] + mirrored * w2[..., None]) / np.maximum(total, 1e-6)[
            ..., None
        ]
        sure = np.clip(total * 2, 0, 1) * (total > 0.05)
        rows = blur(sure.sum(1, keepdims=True), 2.0)  # a few stray cells do not tint a whole row
        sure = sure * np.clip(rows / max(0.25 * float(rows.max()), 1e-6), 0.02, 1)
        tone = masked_blur(mean, sure, 0.006 / self.cell)
        half = self.columns // 2
        wide = np.concatenate([tone[:, half:], tone, tone[:, :half]], 1)
        sure = np.concatenate([sure[:, half:], sure, sure[:, :half]], 1)
        filled = flat_fill(wide, sure.astype(np.float32))
        filled = blur(filled, 0.004 / self.cell)
        return filled[:, half : half + self.columns]

    def _cover(
        self, kind: np.ndarray, weight: np.ndarray, long: bool, covered: np.ndarray
    ) -> np.ndarray:  # [R, C]
        """Share of hair: as seen, else as mirrored, else by the usual hairline of the back."""
        f = self.frame
        u = np.abs((np.arange(self.columns) + 0.5) / self.columns - 0.5) * 2 * np.pi
        v = self.top + (np.arange(self.rows) + 0.5) * self.cell
        ear = -f.nose + 0.3 * (f.nose - f.mouth)
        nape = -f.mouth + (0.35 * (f.mouth - f.chin) if not long else 0.5)
        t = np.clip((u - 1.75) / (2.5 - 1.75), 0, 1)
        line = ear + (nape - ear) * t * t * (3 - 2 * t)
        rule = np.clip((line[None] - v[:, None]) / 0.012 + 0.5, 0, 1)
        back = np.broadcast_to((u > 1.80)[None], rule.shape)
        kind, own = kind[..., 0], weight > 0.05
        mirrored = weight[:, ::-1] > 0.05
        value = np.where(own, kind, np.where(mirrored, np.maximum(kind[:, ::-1], covered), rule))
        known = own | mirrored | back
        value = np.where(back & ~own, rule, value)
        half = self.columns // 2
        wide = [np.concatenate([x[:, half:], x, x[:, :half]], 1) for x in (value, known)]
        filled = pull_push(wide[0].astype(np.float32), wide[1].astype(np.float32))
        return np.clip(blur(filled, 0.003 / self.cell)[:, half : half + self.columns], 0, 1)

    def _with_seen(
        self,
        mixed: np.ndarray,
        rgb: np.ndarray,
        weight: np.ndarray,
        kind: tuple,
        odd: np.ndarray,
        covered: np.ndarray,
    ) -> np.ndarray:  # [R, C, 3]
        """Lays mirrored, then seen pixels over the filled tones, with soft seams."""
        soft = 0.004 / self.cell
        feathered = np.clip(2 * blur((weight > 0.3).astype(np.float32), soft) - 1, 0, 1)
        both = (weight > 0.3) & (weight[:, ::-1] > 0.3)
        mirrored, share = rgb[:, ::-1], feathered[:, ::-1]
        share = share * (blur(odd[:, ::-1], soft) < 0.1)
        bare = kind[0][:, ::-1, 0] < 0.5
        share = share * np.clip(1 - 2 * blur((bare & covered).astype(np.float32), soft), 0, 1)
        if both.any():  # the other side has its own light
            shift = pull_push(rgb - mirrored, both.astype(np.float32))
            u = np.abs((np.arange(self.columns) + 0.5) / self.columns - 0.5) * 2 * np.pi
            fade = np.clip((2.1 - u) / 0.9, 0, 1)[None, :, None]
            mirrored = mirrored + fade * np.clip(blur(shift, 0.02 / self.cell), -0.4, 0.4)
        out = mixed * (1 - share[..., None]) + mirrored * share[..., None]
        return np.clip(out * (1 - feathered[..., None]) + rgb * feathered[..., None], 0, 1)

    def _covered(self, kind: np.ndarray, weight: np.ndarray) -> np.ndarray:  # [R, C] bool
        """Where hair is seen at the nearest place of the same height: no mirrored ear there."""
        half = self.columns // 2
        own = weight > 0.05
        wide = [np.concatenate([x[:, half:], x, x[:, :half]], 1) for x in (kind[..., :1], own)]
        near = flat_fill(wide[0], wide[1].astype(np.float32), 12)[:, half : half + self.columns, 0]
        return near > 0.6

    def sample(self, image: np.ndarray, xyz: np.ndarray) -> np.ndarray:  # [P, 3] -> [P, k]
        """Bilinear values of `rgb`, `hair`, `skin` or `hairy` at world positions."""
        column, row = self._index(*self.frame.angles(xyz))
        places = np.stack([column + PAD, row], -1)
        return bilinear_between(self._wrapped(image), places)


def flat_fill(
    values: np.ndarray,  # [H, W, C]
    weight: np.ndarray,  # [H, W]
    squeeze: int = 5,
) -> np.ndarray:  # [H, W, C]
    """`pull_push` that carries values farther sideways than up and down."""
    h, w = weight.shape
    small = (max(2, w // squeeze), h)
    low = cv2.resize(weight, small, interpolation=cv2.INTER_AREA)
    mean = cv2.resize(values * weight[..., None], small, interpolation=cv2.INTER_AREA)
    mean = mean.reshape(*low.shape, -1) / np.maximum(low, 1e-6)[..., None]
    filled = pull_push(mean.astype(np.float32), np.clip(3 * low, 0, 1))
    wide = cv2.resize(filled, (w, h), interpolation=cv2.INTER_LINEAR).reshape(values.shape)
    return values * weight[..., None] + wide * (1 - weight[..., None])


def hair_detail(
    rgb: np.ndarray,  # [h, w, 3]
    hair: np.ndarray,  # [h, w] bool
    sigma: float,  # px
) -> np.ndarray:  # [h, w, 3] zero mean
    """Strands without the shading of the whole head."""
    detail = np.where(hair[..., None], rgb - masked_blur(rgb, hair, sigma), 0)
    return np.clip(detail, -0.25, 0.25).astype(np.float32)


def patchwork(
    shape: tuple[int, int],
    detail: np.ndarray,  # [h, w, 3] zero-mean
    usable: np.ndarray,  # [h, w] bool
    source_v: np.ndarray,  # [h, w] metres downward
    rows_v: np.ndarray,  # [R] metres downward, of the rows to fill
    seed: int,
    size: int = 40,
) -> np.ndarray:  # [R, C, 3]
    """Hair detail made of soft random patches of the photo's, each from about its own height.

    Weights are normalised by the root of their squares, which keeps the contrast of the source.
    A patch brings neither a tone nor a slope of tones of its own, and lies a little higher or lower
    than its neighbours: where hair is short, all patches run from its dark to its light edge, and
    rows of them would look like shingles.
    """
    out = np.zeros((*shape, 3), np.float32)
    clear = cv2.distanceTransform(usable.astype(np.uint8), cv2.DIST_L2, 5)
    while size > 6 and (clear > 0.45 * size).sum() < 40:
        size -= 4
    half = size // 2
    margin = np.zeros_like(usable)
    margin[half : usable.shape[0] - half, half : usable.shape[1] - half] = True
    good = np.flatnonzero((clear > 0.45 * size) & margin)
    if len(good) < 10:
        return out
    order = np.argsort(source_v.ravel()[good], kind="stable")
    good, heights = good[order], source_v.ravel()[good[order]]
    window = np.hanning(size + 2)[1:-1].astype(np.float32)
    window = np.outer(window, window)
    slopes = _slopes(window)
    squares = np.zeros(shape, np.float32)
    random = np.random.default_rng(seed)
    step = max(3, int(size * 0.42))
    columns = shape[1]
    for r in range(-half, shape[0] + half, step):
        v = rows_v[np.clip(r + half, 0, shape[0] - 1)]
        centre = np.searchsorted(heights, v)
        reach = max(30, len(good) // 8)
        low, high = max(0, min(centre, len(good)) - reach), min(len(good), centre + reach)
        low = min(low, max(0, high - reach))
        for c in range(0, columns, step):
            y, x = divmod(int(good[random.integers(low, max(low + 1, high))]), usable.shape[1])
            patch = detail[y - half : y - half + size, x - half : x - half + size]
            flat = patch.reshape(-1, 3)
            patch = (flat - slopes @ (slopes.T @ (flat * window.reshape(-1, 1)))).reshape(
                patch.shape
            )
            top = r + int(random.integers(0, step))
            y0, y1 = max(0, top), min(shape[0], top + size)
            if y1 <= y0:
                continue
            cols = (np.arange(c, c + size) + int(random.integers(0, step))) % columns
            w = window[y0 - top : y1 - top]
            out[y0:y1, cols] += patch[y0 - top : y1 - top] * w[..., None]
            squares[y0:y1, cols] += w * w
    return out / np.sqrt(np.maximum(squares, 0.05))[..., None]


def _slopes(
    window: np.ndarray,  # [s, s] weights, symmetric
) -> np.ndarray:  # [s * s, 3]
    """A tone and two slopes, orthonormal under the weights."""
    at = np.arange(len(window), dtype=np.float32) - (len(window) - 1) / 2
    parts = np.stack([np.ones_like(window), *np.meshgrid(at, at)], -1).reshape(-1, 3)
    return parts / np.sqrt((parts * parts * window.reshape(-1, 1)).sum(0))
