"""The rasteriser in plain PyTorch: slow, short, of any precision; what the fast one is held to."""

from __future__ import annotations

import torch
from torch import Tensor

from svad.geometry.camera import Camera
from svad.splat.gaussians import Gaussians

TILE = 16  # pixels
BLUR = 0.3  # px^2
ALPHA_MAX = 0.999
ALPHA_MIN = 1 / 255
STOP = 1e-4
NEAR = 0.01  # metres


def rotation_matrices(quats: Tensor) -> Tensor:  # [N, 4] -> [N, 3, 3]
    """Rotations of quaternions of any length, real part first."""
    a, b, c, d = (quats / quats.norm(dim=-1, keepdim=True)).unbind(-1)
    rows = (
        1 - 2 * (c * c + d * d), 2 * (b * c - a * d), 2 * (b * d + a * c),
        2 * (b * c + a * d), 1 - 2 * (b * b + d * d), 2 * (c * d - a * b),
        2 * (b * d - a * c), 2 * (c * d + a * b), 1 - 2 * (b * b + c * c),
    )  # fmt: skip
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def project(g: Gaussians, camera: Camera) -> tuple[Tensor, Tensor, Tensor]:
    """Centres [N, 2] px, blurred covariances [N, 2, 2] px^2, depths [N] m (EWA splatting)."""
    like = {"dtype": g.means.dtype, "device": g.means.device}
    rotation = torch.as_tensor(camera.rotation, **like)
    t = g.means @ rotation.T + torch.as_tensor(camera.translation, **like)
    z = t[:, 2]
    focal, center = (torch.as_tensor(v, **like) for v in (camera.focal, camera.center))
    size = torch.tensor([camera.width, camera.height], **like)
    slope = t[:, :2] / z[:, None]
    centers = slope * focal + center
    margin = 0.15 * size / focal
    slope = torch.clamp(slope, -center / focal - margin, (size - center) / focal + margin)
    zero = torch.zeros_like(z)
    jacobian = torch.stack(
        [
            torch.stack([focal[0] / z, zero, -focal[0] / z * slope[:, 0]], -1),
            torch.stack([zero, focal[1] / z, -focal[1] / z * slope[:, 1]], -1),
        ],
        -2,
    )
    m = jacobian @ rotation @ (rotation_matrices(g.quats) * g.scales[:, None, :])
    covariances = m @ m.mT + BLUR * torch.eye(2, **like)
    return centers, covariances, z


def render(
    g: Gaussians,
    camera: Camera,
    *,
    order: Tensor | None = None,  # [N] front to back; by depth if absent
    alpha_max: float = ALPHA_MAX,
    stop: float = STOP,
) -> tuple[Tensor, Tensor]:  # image [H, W, C] over black, alpha [H, W]
    """Draw one view in the precision of the means, differentiable by autograd."""
    if order is None:
        order = torch.argsort(_depths(g, camera), stable=True)
    depth = _depths(g, camera)[order]
    order = order[(depth >= NEAR) & (g.opacities[order] >= ALPHA_MIN)]
    g = g.select(order)
    centers, covariances, _ = project(g, camera)
    conics = torch.linalg.inv(covariances)
    with torch.no_grad():
        reach = 2 * torch.log(g.opacities.clamp(max=1) / ALPHA_MIN)
        radius = torch.sqrt(reach[:, None] * covariances.diagonal(dim1=-2, dim2=-1))
        low, high = centers - radius, centers + radius  # [N, 2] px
    bands = []
    for y in range(0, camera.height, TILE):
        bottom = min(y + TILE, camera.height)
        band = torch.nonzero((high[:, 1] > y) & (low[:, 1] < bottom))[:, 0]
        tiles = []
        for x in range(0, camera.width, TILE):
            right = min(x + TILE, camera.width)
            near = band[(high[band, 0] > x) & (low[band, 0] < right)]
            parts = centers[near], conics[near], g.opacities[near], g.colors[near]
            tiles.append(_tile(*parts, (x, y, right, bottom), alpha_max, stop))
        bands.append(torch.cat(tiles, 1))
    picture = torch.cat(bands, 0)
    return picture[..., :-1], picture[..., -1]


def _depths(g: Gaussians, camera: Camera) -> Tensor:  # [N]
    means = g.means.detach()
    axis = torch.as_tensor(camera.rotation[2], dtype=means.dtype, device=means.device)
    return means @ axis + float(camera.translation[2])


def _tile(
    centers: Tensor,  # [K, 2]
    conics: Tensor,  # [K, 2, 2]
    opacities: Tensor,  # [K]
    colors: Tensor,  # [K, C]
    box: tuple[int, int, int, int],
    alpha_max: float,
    stop: float,
) -> Tensor:  # [h, w, C + 1], alpha last
    x0, y0, x1, y1 = box
    like = {"dtype": centers.dtype, "device": centers.device}
    if len(centers) == 0:
        return torch.zeros(y1 - y0, x1 - x0, colors.shape[1] + 1, **like)
    ys, xs = torch.arange(y0, y1, **like) + 0.5, torch.arange(x0, x1, **like) + 0.5
    dx = (xs[None, :] - centers[:, 0, None])[:, None, :]  # [K, 1, w]
    dy = (ys[None, :] - centers[:, 1, None])[:, :, None]  # [K, h, 1]
    a, b, c = (conics[:, i, j, None, None] for i, j in ((0, 0), (0, 1), (1, 1)))
    s = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy  # [K, h, w]
    alpha = (opacities[:, None, None] * torch.exp(-s)).clamp(max=alpha_max)
    alpha = torch.where(alpha >= ALPHA_MIN, alpha, torch.zeros_like(alpha))
    after = torch.cumprod(1 - alpha, 0)
    drawn = after > stop
    before = torch.cat([torch.ones_like(after[:1]), after[:-1]])
    weights = torch.where(drawn, alpha * before, torch.zeros_like(alpha))
    image = torch.einsum("khw,kc->hwc", weights, colors)
    return torch.cat([image, weights.sum(0)[..., None]], -1)
