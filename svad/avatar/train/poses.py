"""Poses that are refined frame by frame against the pictures."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from svad.avatar.model.learned import Learned
from svad.avatar.train.views import View, make_view, over
from svad.core.progress import silent
from svad.learn.rows import RowAdam
from svad.learn.ssim import photometric
from svad.splat.render import render
from svad.types import Avatar, Clip, Pose, Report

BODY = 22  # joints that are refined: root and body; fingers and face are too small to see
L1, SSIM = 0.8, 0.2  # weights of the two parts of the picture loss (SVAD, section 3.4)
ROTATION_RATE, SHIFT_RATE = 8e-3, 4e-3  # rad and metres a step, of `refine_poses` at its start
LARGE = 540  # px, height of a frame that `refine_poses` makes no larger: that of the measuring
COARSE = 0.4  # part of the steps at half the size
FALLING = ((0.4, 1.0), (0.6, 0.5), (0.85, 0.2), (1.0, 0.07))  # rates from part to part of the steps


class PoseTable:
    """A pose for every frame, with changes that learn; a frame that is not drawn does not move."""

    def __init__(self, start: Pose, rotation_rate: float, shift_rate: float) -> None:
        self.start = start  # T frames
        self._rates = {"rotations": rotation_rate, "translation": shift_rate}
        self.changes = {
            "rotations": torch.zeros_like(start.rotations[:, :BODY]),  # [T, 22, 3]
            "translation": torch.zeros_like(start.translation),  # [T, 3]
        }
        self.adam = RowAdam(self.changes, self._rates)
        self._free = torch.ones(BODY, 1, device=start.rotations.device)

    def hold(self, joints: Sequence[int]) -> None:
        """These joints keep their bend from now on."""
        self._free[list(joints)] = 0

    def leaves(self, rows: Sequence[int]) -> tuple[Pose, list[Tensor]]:
        """Poses of some frames, and the tensors whose gradients `step` wants."""
        # moved to the device once, not for each table
        at = torch.as_tensor(rows, dtype=torch.int64, device=self.start.translation.device)
        parts = [change[at].requires_grad_() for change in self.changes.values()]
        s = self.start
        start = Pose(s.rotations[at], s.translation[at], s.expression[at])
        rotations = torch.cat([start.rotations[:, :BODY] + parts[0], start.rotations[:, BODY:]], 1)
        return Pose(rotations, start.translation + parts[1], start.expression), parts

    def step(
        self,
        rows: Sequence[int],  # B frames
        gradients: Sequence[Tensor],  # [B, 22, 3], [B, 3]
        factor: float = 1.0,  # on the rates
    ) -> None:
        """One step of the frames given."""
        self.adam.rates = {name: rate * factor for name, rate in self._rates.items()}
        rotations, shifts = gradients
        self.adam.step(rows, {"rotations": rotations * self._free, "translation": shifts})

    @property
    def poses(self) -> Pose:
        """All frames as they are now."""
        rotations = self.start.rotations.clone()
        rotations[:, :BODY] += self.changes["rotations"]
        translation = self.start.translation + self.changes["translation"]
        return Pose(rotations, translation, self.start.expression)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps: the very tensors, to be read or written."""
        return {**self.changes, **{f"adam.{k}": v for k, v in self.adam.state.items()}}


def picture_loss(
    learned: Learned,
    pose: Pose,  # B frames
    views: Sequence[View],  # B of one size
    background: Tensor,  # [B, 3]
    weight: Tensor | None = None,  # [B, h, w, 1] of each pixel's gradient
) -> tuple[Tensor, Tensor, Tensor]:  # [], [B, h, w, 3] picture and target
    """.8 L1 + .2 (1 - SSIM) of the avatar over a background and the frames over the same."""
    cameras = [view.camera for view in views]
    posed = learned.posed(pose[0] if len(views) == 1 else pose)
    drawn = render(posed, cameras)
    image = drawn.image + (1 - drawn.alpha)[..., None] * background[:, None, None]
    target = over(views, background)
    seen = image if weight is None else torch.lerp(image.detach(), image, weight)
    return photometric(seen, target, L1, SSIM), image, target


def refine_poses(
    avatar: Avatar,
    clip: Clip,  # T frames
    report: Report = silent,
    *,
    steps: int = 40,  # of each frame
    rate: float = 1.0,  # times the usual rates
) -> Pose:  # T frames
    """The clip's poses brought nearer to its frames, one after another; the avatar is frozen.

    For measuring: what is left is the avatar's fault and not the pose's. Pictures are compared
    over white, larger frames at 540 px; whether a pose is nearer, at their own size: Gaussians as
    fine as the pixels of a large frame look thicker in a small one. A frame without the person
    keeps its pose.
    """
    learned = Learned.of(avatar)
    start = clip.poses.to(avatar.gaussians.means.device)
    table = PoseTable(start, rate * ROTATION_RATE, rate * SHIFT_RATE)
    white = avatar.gaussians.means.new_ones(1, 3)
    height = min(LARGE, clip.rgb.shape[1])
    for frame in range(len(clip.rgb)):
        report(frame, len(clip.rgb), f"pose {frame + 1} of {len(clip.rgb)}")
        if not clip.matte[frame].any():
            continue
        for half, (first, end) in enumerate(((0, COARSE), (COARSE, 1.0))):
            size = height if half else height // 2
            view = _view(clip, frame, size).to(white.device)
            for step in range(round(first * steps), round(end * steps)):
                pose, leaves = table.leaves([frame])
                loss, _, _ = picture_loss(learned, pose, [view], white)
                factor = next(f for part, f in FALLING if step < part * steps)
                table.step([frame], torch.autograd.grad(loss, leaves), factor)
        if clip.rgb.shape[1] > height:
            view = _view(clip, frame, clip.rgb.shape[1]).to(white.device)
        with torch.no_grad():  # a pose that was right is not spoilt by the search
            both = (start[[frame]], table.leaves([frame])[0])
            before, after = (picture_loss(learned, pose, [view], white)[0] for pose in both)
            if before < after:
                for change in table.changes.values():
                    change[frame] = 0
    return table.poses


def _view(clip: Clip, frame: int, height: int) -> View:
    return make_view(clip.rgb[frame], clip.matte[frame], clip.cameras[frame], height)
