"""Timings of skinning: milliseconds for a pose of an avatar's Gaussians, alone and in a batch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import numpy as np
import torch

from svad.body.free import load_free_body
from svad.body.skin import pose_gaussians
from svad.geometry.camera import photo_camera
from svad.splat.gaussians import isotropic
from svad.types import Avatar, Pose, SkinnedMesh

COUNT = 250_000  # Gaussians
BATCHES = (1, 8)  # poses at a time
MOVED, EXPRESSIONS = 20_000, 43  # Gaussians an expression moves, coefficients
RUNS = 15  # of one figure


def run() -> Iterator[dict]:
    """One dict per number of poses at a time: least and median milliseconds of a single pose."""
    avatar = cloud(COUNT)
    for frames in BATCHES:
        poses = movement(avatar, frames)
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            with torch.no_grad():
                pose_gaussians(avatar, poses)
            times.append((time.perf_counter() - start) * 1e3 / frames)
        yield {
            "bench": "posing.gaussians", "gaussians": COUNT, "poses": frames,
            "ms": round(min(times), 2), "median_ms": round(statistics.median(times), 2),
        }  # fmt: skip


def cloud(count: int) -> Avatar:
    """Gaussians about random joints, each bound to four of them; there is nothing to look at."""
    body, random = load_free_body(), torch.Generator().manual_seed(0)
    rest = body.rest(torch.zeros(body.shape_dirs.shape[-1]))
    vertex = torch.randint(0, len(rest.vertices), (count,), generator=random)
    means = rest.vertices[vertex] + 0.002 * torch.randn(count, 3, generator=random)
    moved = torch.arange(min(MOVED, count))
    return Avatar(
        gaussians=isotropic(means, torch.full((count,), 0.002), torch.full((count, 3), 0.5)),
        joint_ids=body.joint_ids[vertex],
        joint_weights=body.joint_weights[vertex],
        joints=rest.joints,
        parents=body.parents,
        expression_names=tuple(f"expression{i}" for i in range(EXPRESSIONS)),
        expression_ids=moved,
        expression_dirs=torch.zeros(len(moved), EXPRESSIONS, 3, dtype=torch.float16),
        mesh=_no_mesh(),
        pose=Pose(torch.zeros(1, 55, 3), torch.zeros(1, 3), torch.zeros(1, EXPRESSIONS)),
        camera=photo_camera(64, 64),
    )


def movement(avatar: Avatar, frames: int) -> Pose:
    """Random poses with a few expressions each."""
    random = torch.Generator().manual_seed(1)
    expression = torch.zeros(frames, len(avatar.expression_names))
    expression[:, :4] = torch.rand(frames, 4, generator=random)
    return Pose(
        0.3 * torch.randn(frames, 55, 3, generator=random),
        torch.randn(frames, 3, generator=random),
        expression,
    )


def _no_mesh() -> SkinnedMesh:
    """What an avatar has for other uses, empty."""
    return SkinnedMesh(
        vertices=np.zeros((0, 3), np.float32), faces=np.zeros((0, 3), np.int32),
        colors=np.zeros((0, 3), np.uint8), joint_ids=np.zeros((0, 4), np.int32),
        joint_weights=np.zeros((0, 4), np.float32), expression_ids=np.zeros(0, np.int32),
        expression_dirs=np.zeros((0, EXPRESSIONS, 3), np.float16),
    )  # fmt: skip
