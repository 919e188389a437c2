"""Closed-form refinement: rim splats move to the matte's edge, colours to the photo's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import torch

from svad.compute.adam import Adam
from svad.geometry.camera import Camera
from svad.geometry.rotation import quaternion_to_matrix
from svad.geometry.sampling import bilinear
from svad.splat.gaussians import Gaussians
from svad.splat.render import render

REACH = 5.0  # px, splats nearer to the outline move to fit it
ROUND = 0.9  # shortest axis over the next, from which a splat has no plane


def fit_silhouette(
    gaussians: Gaussians,
    camera: Camera,
    matte: np.ndarray,  # [H, W] float32 in 0..1
    rounds: int,
    tell: Callable[[int], None],
    reach: float = REACH,  # px, splats farther from the outline stay as they are
    rate: float = 0.16,  # px per round
) -> Gaussians:
    """Moves rim splats along the outline's normal, and thins them, until the drawn alpha fits.

    Adam on one offset (px) and one opacity per splat within `reach` of the outline; only these
    splats are drawn and only pixels within half that distance count, so a round is cheap.
    """
    normals = _outward(matte)
    edge = (matte > 0.5).astype(np.uint8)
    inside = cv2.distanceTransform(edge, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - edge, cv2.DIST_L2, 5)
    band = np.where(edge > 0, inside, outside)
    pixels = camera.project(gaussians.means.numpy())
    index = torch.from_numpy(np.flatnonzero(bilinear(band, pixels[:, :2]) < reach))
    if not len(index):
        return gaussians
    rim = gaussians.select(index)
    at = pixels[index.numpy()]
    direction = _world_step(
        np.stack([bilinear(n, at[:, :2]) for n in normals], 1), at[:, 2], camera
    )
    counted = torch.from_numpy((band < reach / 2).astype(np.float32))
    target = torch.from_numpy(matte)
    offset = torch.zeros(len(index), requires_grad=True)
    thin = torch.full((len(index),), 3.0, requires_grad=True)  # sigmoid(3) = 0.95
    learned = (offset, thin)
    adam = Adam(learned, (rate, 1.2 * rate), decays=(0.8, 0.95))
    white = torch.ones(len(index), 1)
    for k in range(rounds):
        tell(k)
        drawn = render(
            replace(
                rim,
                means=rim.means + direction * offset[:, None],
                opacities=rim.opacities * torch.sigmoid(thin),
            ),
            camera,
            white,
        )
        loss = (((drawn.alpha[0] - target) * counted) ** 2).sum()
        loss = loss + 2e-4 * (offset**2).sum() + 1e-4 * ((thin - 3) ** 2).sum()
        adam.step(torch.autograd.grad(loss, learned))
        adam.rates = [one * 0.5 ** (1 / max(1, rounds / 3)) for one in adam.rates]
    moved = (rim.means + direction * offset.detach()[:, None]).detach()
    opacities = rim.opacities * torch.sigmoid(thin.detach())
    return replace(
        gaussians,
        means=gaussians.means.index_copy(0, index, moved),
        opacities=gaussians.opacities.index_copy(0, index, opacities),
    )


def _world_step(
    normal: np.ndarray,  # [P, 2] px
    depth: np.ndarray,  # [P] metres
    camera: Camera,
) -> torch.Tensor:  # [P, 3] metres per pixel along the normal
    flat = normal * depth[:, None] / np.asarray(camera.focal)
    step = np.concatenate([flat, np.zeros((len(flat), 1))], 1) @ camera.rotation
    return torch.from_numpy(step.astype(np.float32))


def fit_colours(
    gaussians: Gaussians,
    camera: Camera,
    rgb: np.ndarray,  # [H, W, 3] float32
    inside: np.ndarray,  # [H, W] bool, pixels whose colour is the person's alone
    rounds: int,
    tell: Callable[[int], None],
    taken: torch.Tensor | None = None,  # [N] 0..1, how much of its error each splat takes; all
    rate: float = 1.4,
) -> Gaussians:
    """c += rate sum(w e) / sum(w): every splat takes the mean error of the pixels it colours.

    w is the splat's share of a pixel (alpha times transmittance), e the photo minus the picture;
    both sums come from one backward pass of the rasteriser.
    """
    rates = rate if taken is None else rate * taken[:, None]
    target = torch.from_numpy(np.where(inside[..., None], rgb, 0).astype(np.float32))
    sure = torch.from_numpy(inside)
    colors = gaussians.colors
    for k in range(rounds):
        tell(k)
        channels = torch.cat([colors, torch.zeros(len(colors), 1)], 1).requires_grad_()
        image = render(gaussians, camera, channels).image[0]
        error = torch.where(sure[..., None], target - image.detach()[..., :3], 0.0)
        upstream = torch.cat([error, sure[..., None].float()], -1)
        # the same as passing `upstream` along, which would load sympy
        (grad,) = torch.autograd.grad((image * upstream).sum(), channels)
        total = grad[:, 3:]
        step = grad[:, :3] / (total + 0.05)  # what is hardly seen hardly changes
        colors = (colors + rates * step).clamp(0, 1)
    return replace(gaussians, colors=colors)


def facing(
    gaussians: Gaussians,
    camera: Camera,
) -> torch.Tensor:  # [N] 0..1
    """How squarely a camera sees each splat: the cosine between its shortest axis and the ray.

    A round splat has no side that it could turn away: 1.
    """
    sizes, axes = gaussians.scales.sort(1)
    shortest = axes[:, :1, None].expand(-1, 3, 1)
    normals = quaternion_to_matrix(gaussians.quats).gather(2, shortest)[..., 0]
    eye = torch.from_numpy(np.asarray(-camera.rotation.T @ camera.translation))
    rays = torch.nn.functional.normalize(gaussians.means - eye.to(gaussians.means), dim=1)
    cosines = (normals * rays).sum(1).abs().clamp(0, 1)
    return torch.where(sizes[:, 0] > ROUND * sizes[:, 1], 1.0, cosines)


def _outward(matte: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # two of [H, W]
    """Unit normals that point out of the matte."""
    smooth = cv2.GaussianBlur(matte, (0, 0), 1.6)
    gx, gy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    length = np.maximum(np.hypot(gx, gy), 1e-5)
    return -gx / length, -gy / length


def well_inside(matte: np.ndarray, sure: float = 0.97) -> np.ndarray:  # [H, W] bool
    """Pixels well inside the matte."""
    return cv2.erode((matte > sure).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
