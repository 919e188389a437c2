"""The Gaussian head of one person: made from a crop once, drawn for any number of frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from svad.compute.moved import placed
from svad.identity.cameras import NEAR, raster_camera
from svad.identity.network import HeadNetwork, load_network
from svad.identity.sizes import HeadSizes
from svad.media.images import resize
from svad.splat.covariance import axes, covariances
from svad.splat.gaussians import Gaussians
from svad.splat.rasterisers import backend_for
from svad.splat.render import Rendered, render
from svad.types import Report
from svad.weights.strict import State

BATCH = 8  # frames refined together on CUDA; elsewhere one at a time
RGB = 3  # the first channels, a coarse picture by themselves
THUMBNAIL = 256  # px


@dataclass(frozen=True)
class HeadAvatar:
    """One person's head: all that does not change from frame to frame.

    The first V Gaussians sit on the vertices of FLAME, the others stay where they are.
    """

    shape: Tensor  # [S] FLAME identity
    plane: Tensor  # [N - V, 3] positions of the lifted Gaussians, in the head's units
    colors: Tensor  # [N, C]; the first three are a coarse RGB
    opacities: Tensor  # [N] in 0..1
    scales: Tensor  # [N, 3] along the axes of `quats`, in the head's units
    quats: Tensor  # [N, 4], unit
    covariances: Tensor  # [N, 3, 3], those of scales and quaternions

    def gaussians(self, vertices: Tensor) -> Gaussians:  # [..., V, 3] FLAME's, times five
        """The whole head of one frame, or of several."""
        plane = self.plane.expand(*vertices.shape[:-2], -1, -1)
        means = torch.cat([vertices.to(plane), plane], -2)
        return Gaussians(means, self.scales, self.quats, self.opacities, self.colors)


@dataclass(frozen=True)
class HeadFrames:
    """The head in T frames."""

    rgb: np.ndarray  # [T, H, W, 3] uint8 on black
    alpha: np.ndarray  # [T, H, W] uint8, how much of a pixel the Gaussians cover


class Head:
    """The networks of the head; they keep nothing of the people they are shown."""

    def __init__(self, network: HeadNetwork) -> None:
        self.network = network
        self.sizes = network.sizes

    @property
    def device(self) -> torch.device:
        return self.network.head_base.device

    def to(self, device: torch.device | str, dtype: torch.dtype = torch.float32) -> Head:
        """Moves the networks, the refiner's convolutions to `dtype`; returns itself."""
        placed(self.network, device)
        self.network.upsampler.convolutions_to(dtype)
        return self

    @torch.inference_mode()
    def build(
        self,
        crop: np.ndarray,  # [h, w, 3] uint8, the matted head on black (published: 512 x 512)
        shape: Tensor | np.ndarray,  # [S] FLAME identity
        camera: Tensor | np.ndarray,  # [3, 4] of the crop
    ) -> HeadAvatar:
        """The head of the person in a crop (GAGAvatar's dual lifting)."""
        side = self.sizes.vit.image
        image = torch.tensor(crop, device=self.device).permute(2, 0, 1)[None].float() / 255
        image = F.interpolate(image, (side, side), mode="bilinear", antialias=True)
        found = self.network.lift(image.clamp(0, 1), self._floats(camera))
        # axes are taken anew where the published rasteriser draws with quaternions of any length
        of_vertices = covariances(found.scales, found.rotations)[: self.sizes.lifting.vertices]
        scales, quats = axes(of_vertices)
        rest = slice(len(of_vertices), None)
        scales = torch.cat([scales, found.scales[rest]])
        quats = torch.cat([quats, found.rotations[rest]])
        return HeadAvatar(
            shape=self._floats(shape),
            plane=found.plane,
            colors=found.colors,
            opacities=found.opacities[:, 0],
            scales=scales,
            quats=quats,
            covariances=covariances(scales, quats),
        )

    @torch.inference_mode()
    def render(
        self,
        avatar: HeadAvatar,
        vertices: Tensor | np.ndarray,  # [T, V, 3] FLAME's, times five
        cameras: Tensor | np.ndarray,  # [T, 3, 4]
        report: Report,
        batch: int | None = None,  # frames refined together
        noise: Sequence[Tensor] | None = None,  # [1, 1, h, w] each; None = the file's
    ) -> HeadFrames:
        """The head in T frames, through the refiner.

        All frames share their noise, so that nothing flickers that does not move. Where half
        precision overflows, float32 takes over.
        """
        refiner = self.network.upsampler
        maps = [self._floats(m) for m in (refiner.stored_noise if noise is None else noise)]
        batch = batch or (BATCH if self.device.type == "cuda" else 1)
        vertices = self._floats(vertices)
        rgb, alpha = self._frames(len(vertices))
        for start in range(0, len(vertices), batch):
            part = slice(start, min(start + batch, len(vertices)))
            drawn = self.draw(avatar, vertices[part], cameras[part])
            report(start, len(vertices), "drawing the head")
            picture = drawn.image.permute(0, 3, 1, 2)  # channels last in memory
            logits = refiner(picture, maps)
            if refiner.is_half and not logits.isfinite().all():
                refiner = refiner.in_float32()  # a copy, for the rest of this person's frames
                logits = refiner(picture, maps)
            rgb[part] = _bytes(logits.sigmoid().permute(0, 2, 3, 1))
            alpha[part] = _bytes(drawn.alpha)
            thumbnail = resize(rgb[part][-1], THUMBNAIL, THUMBNAIL)
            report(part.stop, len(vertices), "drawing the head", thumbnail)
        return HeadFrames(rgb, alpha)

    @torch.inference_mode()
    def preview(
        self,
        avatar: HeadAvatar,
        vertices: Tensor | np.ndarray,  # [T, V, 3] FLAME's, times five
        cameras: Tensor | np.ndarray,  # [T, 3, 4]
    ) -> HeadFrames:
        """The coarse colours of the Gaussians, without the refiner: for thumbnails."""
        vertices = self._floats(vertices)
        rgb, alpha = self._frames(len(vertices))
        for t, (points, camera) in enumerate(zip(vertices, cameras, strict=True)):
            drawn = self.draw(avatar, points[None], camera[None], avatar.colors[:, :RGB])
            rgb[t], alpha[t] = _bytes(drawn.image[0].clamp(0, 1)), _bytes(drawn.alpha[0])
        return HeadFrames(rgb, alpha)

    def draw(
        self,
        avatar: HeadAvatar,
        vertices: Tensor,  # [T, V, 3] FLAME's, times five
        cameras: Tensor | np.ndarray,  # [T, 3, 4]
        channels: Tensor | None = None,  # [N, C] in place of the colours
    ) -> Rendered:
        """The Gaussians in T frames: what the refiner is shown."""
        side = self.sizes.refiner.image
        known = avatar.covariances if backend_for(self.device) == "gsplat" else None
        views = [raster_camera(camera, side, side) for camera in cameras]
        return render(avatar.gaussians(vertices), views, channels, covariances=known, near=NEAR)

    def _floats(self, values: Tensor | np.ndarray) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=self.device)

    def _frames(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        side = self.sizes.refiner.image
        return np.zeros((count, side, side, 3), np.uint8), np.zeros((count, side, side), np.uint8)


def load_head(
    state: State,
    sizes: HeadSizes | None = None,  # default: those of the published file
    dtype: torch.dtype = torch.float32,  # of the refiner's convolutions
    device: torch.device | str = "cpu",
) -> Head:
    """The head with the tensors of the published file (`GAGAvatar.pt`, entry `model`).

    Half precision is for CUDA. Everything but the refiner's convolutions stays float32.

    Raises:
        WeightsMismatch: a key is missing, not known, or of another shape.
    """
    return Head(load_network(state, sizes or HeadSizes())).to(device, dtype)


def _bytes(values: Tensor) -> np.ndarray:  # [...] in 0..1 -> the nearest 8-bit values
    return (values * 255).round().to(torch.uint8).cpu().numpy()
