"""The terms of the published training, weighted as it weighs them (ExAvatar; SVAD section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from svad.avatar.published.buffers import Buffers
from svad.avatar.published.forward import Posed
from svad.avatar.regularisers import (
    ArmPairs,
    MeshNeighbours,
    arm_colour,
    hand_colour,
    inward_of_hand,
    joint_asymmetry,
    laplacian_change,
    mesh_laplacian,
    region_weights,
    weighted,
)
from svad.body.skeleton import FINGERS, THUMBS

WINDOW, SIGMA = 11, 1.5  # px, of the structural similarity
C1, C2 = 0.01**2, 0.03**2  # its constants for values in 0..1
SMOOTH = 1e5  # of squared Laplacians in metres
HAND_COLOUR, ARM_COLOUR = 0.01, 0.1
FINGER = 10.0  # of a finger joint's offset, beside 1 for the others


@dataclass(frozen=True)
class Surroundings:
    """What the regularisers compare with; made once per training."""

    neutral: Tensor  # [N, 3] metres, the rest mesh without offsets
    normals: Tensor  # [N, 3] of it
    neighbours: MeshNeighbours
    arms: ArmPairs
    fitted: Tensor  # [55, 3] metres, the joint offsets the training began with


def regularisers(
    posed: Posed,
    scales: tuple[Tensor, Tensor],  # [N] each: as drawn, in the base and the refined branch
    joint_offset: Tensor,  # [55, 3] metres
    buffers: Buffers,
    about: Surroundings,
) -> dict[str, Tensor]:  # name to a value
    """Every regulariser by its published name; the training adds them up."""
    hands = buffers.hands
    offsets = (posed.offset, posed.pose_offset)
    colours = (posed.base.colours, posed.refined.colours)
    weights = published_weights(buffers)
    mesh, near = about.neutral, about.neighbours
    moved = (mesh + posed.offset, mesh + posed.offset + posed.pose_offset)
    sizes = posed.log_scale.exp().square() + posed.scale_offset.square()
    normals = about.normals[hands]
    each_hand = (buffers.left_hand, buffers.right_hand)
    changes = [laplacian_change(m, mesh, near) for m in moved]
    rough_sizes = [mesh_laplacian(s[:, None], near).square() for s in scales]
    rough_colours = [mesh_laplacian(c, near).square() for c in colours]
    tinted = torch.stack([hand_colour(c, each_hand).mean() for c in colours]).sum()
    return {
        "gaussian_mean_reg": _sum(weights["mean"], [o.square() for o in offsets]),
        "gaussian_mean_hand_reg": sum_of([inward_of_hand(o[hands], normals) for o in offsets]),
        "gaussian_scale_reg": weighted(sizes, weights["scale"]),
        "lap_mean": _sum(weights["lap_mean"], changes),
        "lap_scale": _sum(weights["lap_scale"], rough_sizes),
        "lap_rgb": _sum(weights["lap_rgb"], rough_colours),
        "hand_rgb_reg": HAND_COLOUR * len(each_hand) * tinted,
        "arm_rgb_reg": ARM_COLOUR * sum_of([arm_colour(c, about.arms) for c in colours]),
        "joint_offset_reg": joint_drift(joint_offset, about.fitted),
        "joint_offset_sym_reg": joint_asymmetry(joint_offset).mean(),
    }


def published_weights(buffers: Buffers) -> dict[str, Tensor]:  # [N] each
    """The regional weights of the terms that are taken per Gaussian; later regions win."""
    hands, face = buffers.hands, buffers.face
    moving, cavity = buffers.expressive, buffers.cavity
    count = len(face)
    return {
        "mean": region_weights(count, 10, [(hands, 1000), (face, 1), (moving, 10)]),
        "scale": region_weights(count, 1, [(hands, 1000), (moving, 10), (cavity, 0)]),
        "lap_mean": SMOOTH * region_weights(count, 1, [(moving, 50), (cavity, 0.1)]),
        "lap_scale": SMOOTH * region_weights(count, 10, [(hands, 10), (moving, 0)]),
        "lap_rgb": region_weights(count, 0.1, [(hands, 100)]),
    }


def joint_drift(
    joint_offset: Tensor,  # [55, 3] metres
    fitted: Tensor,  # [55, 3] metres
) -> Tensor:  # []
    """Squared distance to the fitted joint offsets, fingers counting more."""
    weights = torch.ones(len(joint_offset), device=joint_offset.device)
    for side in FINGERS:
        weights[[*FINGERS[side], *THUMBS[side]]] = FINGER
    return weighted((joint_offset - fitted).square(), weights)


def sum_of(
    values: list[Tensor],  # [...] each
) -> Tensor:  # []
    """The mean of each, added up; 0 for what has no elements, which has no mean."""
    return torch.stack([v.mean() if v.numel() else v.sum() for v in values]).sum()


def photometric(
    out: Tensor,  # [B, C, H, W] in 0..1
    target: Tensor,  # [B, C, H, W]
    box: tuple[int, int, int, int] | None = None,  # x, y, width, height, px; None = everything
) -> tuple[Tensor, Tensor]:  # [B, C, h, w] each
    """Absolute difference, and structural similarity, within a box."""
    if box is not None:
        x, y, width, height = box
        out, target = (v[..., y : y + height, x : x + width] for v in (out, target))
    return (out - target).abs(), structural_similarity(out, target)


def over_colour(
    image: Tensor,  # [B, 3, H, W]
    mask: Tensor,  # [B, 1, H, W] in 0..1
    colour: Tensor,  # [B, 3]
) -> Tensor:  # [B, 3, H, W]
    """A picture's person over one colour: the target of the mask loss."""
    return image * mask + colour[:, :, None, None] * (1 - mask)


def cut(
    box: tuple[float, float, float, float],  # x, y, width, height, px
) -> tuple[int, int, int, int]:
    """A box on whole pixels as published: numbers cut, the corner moved into the picture."""
    x, y, width, height = (int(v) for v in box)
    return max(x, 0), max(y, 0), width, height


def structural_similarity(
    a: Tensor,  # [B, C, H, W] in 0..1
    b: Tensor,  # [B, C, H, W]
) -> Tensor:  # [B, C, H, W]
    """SSIM per pixel (Wang et al. 2004): window 11, sigma 1.5, zeros around the picture."""
    away = torch.arange(WINDOW, dtype=a.dtype, device=a.device) - WINDOW // 2
    line = torch.exp(-away.square() / (2 * SIGMA**2))
    line = line / line.sum()
    count, pad = a.shape[1], WINDOW // 2

    def blurred(x: Tensor) -> Tensor:
        for shape, padding in (((1, 1, -1, 1), (pad, 0)), ((1, 1, 1, -1), (0, pad))):
            kernel = line.view(shape).expand(count, 1, -1, -1)
            x = F.conv2d(x, kernel, padding=padding, groups=count)
        return x

    mean_a, mean_b = blurred(a), blurred(b)
    var_a, var_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
    shared = blurred(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + C1) * (2 * shared + C2)
    return top / ((mean_a**2 + mean_b**2 + C1) * (var_a + var_b + C2))


def _sum(weights: Tensor, values: list[Tensor]) -> Tensor:
    return torch.stack([weighted(v, weights) for v in values]).sum()
