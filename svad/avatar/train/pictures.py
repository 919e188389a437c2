"""Which pictures are drawn when, and which frames are believed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from svad.avatar.train.views import View, box_size, make_view, shows_person
from svad.config.avatar import TrainConfig
from svad.core.errors import SvadError
from svad.types import Avatar, Clip, Subject

LEAST = 0.15  # weight below which a frame tells nothing
SETTLED = 0.15  # part of the steps after which a frame that does not fit is given up
CHECKS = 20  # times that the held-out frames are asked in a training
PATIENCE = 4  # checks without a gain before it ends
GAIN = 0.003  # part of the held-out error that counts as one
MEMORY = 0.7  # share of a frame's error before the newest


class ClipError(SvadError):
    """No frame of a clip can be learned from."""


class Pictures:
    """The frames of a clip and the photo, at two sizes, and the order they are learned in.

    Rows are the frames of the clip; the last is the photo. The photo is drawn as often as
    `config.photo` says, frames as often as they are believed (PERSONA, section 3.3). A frame that
    stays far worse than the others, because it is torn or shows something else, is given up.
    """

    def __init__(
        self,
        avatar: Avatar,
        subject: Subject,
        clip: Clip,
        config: TrainConfig,
        device: torch.device,
    ) -> None:
        self._avatar, self._subject, self._clip = avatar, subject, clip
        self._config, self._device = config, device
        self.photo = len(clip.rgb)
        good = require_frames(clip)
        every = config.holdout
        self.held = good[every // 2 :: every] if 0 < every <= len(good) // 2 else []
        self.frames = [i for i in good if i not in self.held]
        self._sizes = [box_size(clip.matte[good], h) for h in (config.height // 2, config.height)]
        self._view = lru_cache(maxsize=None)(self._made)
        self.errors: dict[int, float] = {}
        self.lost: set[int] = set()
        self.bag: list[int] = []
        self.checks: list[float] = []
        self.next_check = 1 / CHECKS

    def _made(self, row: int, size: int) -> View:
        c = self._config
        height = c.height // 2 if size == 0 else c.height
        if row == self.photo:
            camera = self._avatar.camera
            tall, band = camera.height, c.photo_band * camera.height
            if size < 2:  # the person as large as in the frames
                tall = round(height * tall / self._clip.rgb.shape[1])
                tall = round(tall * self._clip.cameras[0].focal[1] / camera.focal[1])
            photo = self._subject.photo.rgb, self._subject.matte, camera
            return make_view(*photo, tall, None, band).to(self._device)
        frame = self._clip.rgb[row], self._clip.matte[row], self._clip.cameras[row]
        box = self._sizes[min(size, 1)] if c.batch > 1 else None
        return make_view(*frame, height, box).to(self._device)

    def views(
        self,
        rows: Sequence[int],
        size: int,  # 0 = all at half the size, 1 = at that of the frames, 2 = the photo at its own
    ) -> list[View]:
        """The pictures of some rows, of one size."""
        return [self._view(row, size if row == self.photo else min(size, 1)) for row in rows]

    def cut_all(self, tell: Callable[[str], None]) -> None:
        """Cuts what will be drawn on all cores at once: a GPU would wait for one after another."""
        rows = [*self.frames, *self.held]
        cuts = [(row, size) for row in rows for size in (0, 1)]
        cuts += [(self.photo, size) for size in (0, 1, 2)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            waiting = [pool.submit(self._view, *cut) for cut in cuts]
            try:
                for done, view in enumerate(waiting):
                    tell(f"cutting the frames, {done // 2} of {len(rows)}")
                    view.result()
            finally:  # a person who stops it waits for no more
                pool.shutdown(cancel_futures=True)

    def outline(
        self, rows: Sequence[int], views: Sequence[View], part: float
    ) -> Tensor | None:  # [B, h, w, 1]
        """How much each pixel moves the avatar: the photo's outline less; None = all alike.

        Its pose is found from what lies within. In the last part it is, and the outline counts.
        """
        if list(rows) != [self.photo] or part >= self._config.slowest_from:
            return None
        low = self._config.photo_outline
        return (low + (1 - low) * views[0].outline)[None]

    def draw_lots(self, random: np.random.Generator, part: float) -> tuple[list[int], bool]:
        """The rows of the next step, and whether they are held out: only poses learn from those."""
        if random.random() < self._config.photo_share(part):
            return [self.photo], False
        if self.held and random.random() < len(self.held) / (len(self.held) + len(self.frames)):
            count = min(self._config.batch, len(self.held))
            return [int(i) for i in random.choice(self.held, count, replace=False)], True
        usable = len([i for i in self.frames if i not in self.lost])
        rows: list[int] = []
        while len(rows) < min(self._config.batch, usable):
            if not self.bag:
                self.bag = [int(i) for i in random.permutation(self.frames)]
            row = self.bag.pop()
            most = float(self._clip.weight[self.frames].max())
            if row in self.lost or row in rows or random.random() > self._clip.weight[row] / most:
                continue
            rows.append(row)
        return rows, False

    def note_errors(self, rows: Sequence[int], errors: Sequence[float], part: float) -> None:
        """What the frames of a step missed the avatar by; sometimes, what follows from it."""
        for row, error in zip(rows, errors, strict=True):
            before = self.errors.get(row, error)
            self.errors[row] = MEMORY * before + (1 - MEMORY) * error
        known = [self.errors[i] for i in self.frames if i in self.errors]
        if part > SETTLED and len(known) >= 8:
            limit = self._config.robust * float(np.median(known))
            bad = [i for i in rows if i in self.frames and self.errors[i] > limit]
            if len(self.lost) + len(bad) <= len(self.frames) // 4:
                self.lost.update(bad)
        # finer pictures are missed by more: those of half the size are no measure for them
        if self.held and part >= max(self.next_check, self._config.small_until):
            self.next_check = part + 1 / CHECKS
            held = [self.errors[i] for i in self.held if i in self.errors]
            self.checks.append(float(np.mean(held)) if held else np.inf)

    def held_out_says_stop(self, part: float) -> bool:
        """Whether the held-out frames have not come nearer for some time at lowered rates."""
        if part < self._config.slow_from or len(self.checks) <= PATIENCE:
            return False
        return min(self.checks[-PATIENCE:]) > (1 - GAIN) * min(self.checks[:-PATIENCE])


def require_frames(clip: Clip) -> list[int]:
    """The frames that can be learned from; raises `ClipError` if there is none."""
    good = [
        i
        for i in range(len(clip.rgb))
        if clip.weight[i] >= LEAST and not _is_photo(clip, i) and shows_person(clip.matte[i])
    ]
    if not good:
        raise ClipError(
            "No frame of the clip shows the person clearly enough to learn from. Make the frames "
            "again, or use the preview, which needs none."
        )
    return good


def _is_photo(clip: Clip, row: int) -> bool:
    """The first frame of a made clip is the photo itself, which has a row of its own."""
    return row == 0 and len(clip.rgb) > 1 and float(clip.weight[0]) >= 1.0
