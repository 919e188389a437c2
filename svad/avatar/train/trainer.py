"""Trains an avatar on the frames of a clip and on the photo: SVAD, section 3.4.

What a picture costs decides what can be done: the person is cut out, poses and drawing have
gradients in closed form on the CPU, neighbours are looked at now and then, and there are no
networks that are evaluated for every Gaussian.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from svad.avatar.closed.colour_balance import known_part, photo_shares
from svad.avatar.front import front_picture
from svad.avatar.model.learned import Learned
from svad.avatar.model.mesh import following
from svad.avatar.model.thin import blend_onto, two_clouds
from svad.avatar.train.checkpoint import Checkpoint
from svad.avatar.train.pictures import Pictures
from svad.avatar.train.poses import PoseTable, picture_loss
from svad.avatar.train.smooth import Regularisers
from svad.compute.adam import Adam
from svad.config.avatar import TrainConfig
from svad.core.errors import Stopped
from svad.core.progress import silent
from svad.learn.lpips import Lpips
from svad.types import Avatar, Clip, Pose, Report, Subject

EVERY = 4  # steps between two looks at the neighbours, on a picture at a time
TOLD = 0.4  # seconds between two notes about the progress
SHOWN = 8.0  # seconds between two pictures of it
KEPT = 30.0  # seconds between two checkpoints
CROP = 256  # px, side of what the perceptual loss looks at
# Of gradients: a visible Gaussian's colour has some 1e-6. What lies behind the surface gets a
# hundredth of that or less, which Adam would blow up to steps as long as any other's.
HIDDEN = 2e-7


@dataclass(frozen=True)
class Trained:
    """What training came to."""

    avatar: Avatar  # on the CPU, wherever it was trained
    poses: Pose  # T frames of the clip and, last, the photo's; on the CPU, too
    steps: int
    finished: bool  # False: the deadline came first; the checkpoint goes on from here
    note: str = ""  # a sentence for the person


def train(
    avatar: Avatar,
    subject: Subject,
    clip: Clip,
    config: TrainConfig,
    report: Report = silent,
) -> Avatar:
    """The avatar after all steps; see `Trainer`."""
    return Trainer(avatar, subject, clip, config).run(report).avatar


class Trainer:
    """One training; make it anew to go on from its checkpoint.

    Raises `ClipError` where no frame of the clip can be learned from.
    """

    def __init__(
        self,
        avatar: Avatar,  # the first guess
        subject: Subject,
        clip: Clip,
        config: TrainConfig,
        *,
        checkpoint: Path | None = None,  # where a stopped run goes on; None = it does not
        key: str = "",  # what the checkpoint belongs to
        lpips: Lpips | None = None,  # on the avatar's device
    ) -> None:
        config = config.for_frames(len(clip.rgb))
        self.config, self._lpips = config, lpips
        self._device = avatar.gaussians.means.device
        self.pictures = Pictures(avatar, subject, clip, config, self._device)
        known = known_part(photo_shares(avatar, clip))
        coarse, self._fine = two_clouds(avatar, known, config.first_gaussians, config.gaussians)
        self.start_with(Learned.of(coarse, config.coefficients))
        start = Pose.cat([clip.poses.to(self._device), avatar.pose])
        self.poses = PoseTable(start, config.rotation_rate, config.shift_rate)
        self.step, self.random = 0, np.random.default_rng(config.seed)
        self._kept = Checkpoint(checkpoint, key) if checkpoint is not None else None
        self.note = self._kept.load_into(self) if self._kept is not None else ""

    def start_with(self, learned: Learned) -> None:
        """These values, with a fresh optimiser."""
        self.learned = learned
        self._pull: dict[str, Tensor] = {}
        self.grown = len(learned.avatar.gaussians) == len(self._fine.gaussians)
        self.rates = learned.rates(self.config)
        values = [learned.values[name] for name in self.rates]
        self.adam = Adam(values, list(self.rates.values()), epsilon=HIDDEN)
        self._regularisers = Regularisers(learned.avatar, self.config)

    def grow(self) -> None:
        """From the thinned cloud to all Gaussians, which take over what it has learned."""
        blend = blend_onto(self._fine, self.learned.avatar)
        self.start_with(self.learned.onto(self._fine, blend))

    def run(self, report: Report = silent, deadline: float | None = None) -> Trained:
        """All steps that are left, or those that fit before `deadline` (of `time.monotonic`).

        Stopped by the report, and every half minute, it writes the checkpoint. Raises
        `OutputError` if that cannot be written; the one before it is kept then. The file stays in
        the end, too: whoever asked for it removes it, once the result is safe.
        """
        told, shown, kept = 0.0, time.monotonic(), time.monotonic()
        total = self.config.steps
        if self._device.type == "cuda":
            self.pictures.cut_all(lambda note: report(self.step, total, note, None))
        while self.step < total and not self._says_stop():
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                self._keep()
                return self._result(finished=False)
            if now - kept > KEPT:
                self._keep()
                kept = now
            if now - told > TOLD:
                picture = self._picture() if now - shown > SHOWN else None
                told, shown = now, now if picture is not None else shown
                try:
                    report(self.step, total, f"learning, {self.step} of {total}", picture)
                except Stopped:
                    self._keep()
                    raise
            self._once()
        if not self.grown:
            self.grow()
        report(total, total, "learned", self._picture())
        return self._result(finished=True)

    def _says_stop(self) -> bool:
        """Held-out frames end a part of the training, and all of it in the last part.

        The last part, at a tenth of the rates, is never left out: there the photo has its say.
        """
        c = self.config
        if not self.pictures.held_out_says_stop(self.step / c.steps):
            return False
        for part in (c.grow_at, c.slowest_from):
            if self.step < round(part * c.steps):
                self.step, self.pictures.checks = round(part * c.steps), []
                return False
        return True

    def _once(self) -> None:
        """One step: some pictures, one move of the cloud and of the poses in them."""
        c = self.config
        part = self.step / c.steps
        if not self.grown and part >= c.grow_at:
            self.grow()
        factor = c.falling(part)
        rows, held = self.pictures.draw_lots(self.random, part)
        size = 0 if part < c.small_until else 2 if self.grown else 1
        views = self.pictures.views(rows, size)
        lots = torch.from_numpy(self.random.random((len(rows), 3), np.float32))
        background = lots.to(self._device, non_blocking=True)
        pose, leaves = self.poses.leaves(rows)
        loss, image, target = picture_loss(
            self.learned, pose, views, background, self.pictures.outline(rows, views, part)
        )
        values = [self.learned.values[name] for name in self.rates]
        if self._lpips is not None and not held:
            loss = loss + c.lpips * self._perceptual(image, target)
        found = torch.autograd.grad(loss, leaves if held else [*leaves, *values])
        errors = (image.detach() - target).abs().mean((1, 2, 3))
        if not held:
            self._move(dict(zip(self.rates, found[2:], strict=True)), factor)
        self.poses.step(rows, found[:2], factor)
        # last, because whatever reads a number waits for the GPU
        self.pictures.note_errors(rows, errors.tolist(), part)
        self.step += 1

    def _move(self, gradients: dict[str, Tensor], factor: float) -> None:
        if not self._pull or self.step % (1 if self.config.batch > 1 else EVERY) == 0:
            self._pull = self._regularisers.gradients(self.learned)
        for name, pull in self._pull.items():
            gradients[name] = gradients[name] + pull
        self.adam.rates = [rate * factor for rate in self.rates.values()]
        self.adam.step([gradients[name] for name in self.rates])
        self.learned.keep_valid()

    def _perceptual(self, image: Tensor, target: Tensor) -> Tensor:
        """LPIPS of one square of each picture, at a random place."""
        assert self._lpips is not None
        height, width = image.shape[1:3]
        y, x = (int(self.random.integers(max(1, size - CROP + 1))) for size in (height, width))
        parts = [
            2 * picture[:, y : y + CROP, x : x + CROP].permute(0, 3, 1, 2) - 1
            for picture in (image, target)
        ]
        return self._lpips(*parts).mean()

    def _picture(self) -> np.ndarray:  # [H, W, 3] uint8
        return front_picture(self.learned.finished())

    def _keep(self) -> None:
        if self._kept is not None:
            self._kept.save(self)

    def _result(self, *, finished: bool) -> Trained:
        avatar, poses = self.learned.finished(), self.poses.poses.to("cpu")
        if finished:
            avatar = replace(avatar, mesh=following(avatar.mesh, self.learned.avatar, avatar))
        return Trained(avatar.to("cpu"), poses, self.step, finished, self.note)
