"""Every layer behind the one that the photo shows, overlaps inside their neighbours."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from svad.media.fields import blur, pull_push
from svad.relief.giving_way import HIDDEN_GAP, giving_way
from svad.relief.layer import Layer

OVERLAP_GAP = 0.004  # metres an overlapping neighbour stays behind


def _bent_back(layer: Layer, push: np.ndarray, body_height: float) -> np.ndarray:  # [H, W] metres
    """How far a limb that passes behind something bends back, from its root to its end.

    The piece nearest the root stays; beyond the bridge the limb keeps the bridge's distance.
    """
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(
        layer.own.astype(np.uint8), connectivity=8
    )
    root = pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    distance = cv2.distanceTransform((~layer.bridge).astype(np.uint8), cv2.DIST_L2, 5)
    fixed = root & (distance > 0.08 * body_height)
    amount = np.where(layer.bridge, push, 0).astype(np.float32)
    return blur(pull_push(amount, (layer.bridge | fixed).astype(np.float32)), 2.0)


def in_order(
    layers: list[Layer],
    labels: np.ndarray,  # [H, W] int32, which layer the photo shows, -1 outside the person
    shoulders_y: float,  # px
    body_height: float,  # px
    px_per_m: float,
) -> list[Layer]:
    """Keeps every layer behind the one the photo shows, and overlaps inside their neighbour."""
    layers = giving_way(layers, labels, shoulders_y, body_height, px_per_m)
    shown = np.full(labels.shape, -np.inf, np.float32)
    deepest = shown.copy()  # of a pixel and its neighbours: their splats overlap on steep flanks
    back = np.full(labels.shape, np.inf, np.float32)
    for i, layer in enumerate(layers):
        mine = labels[layer.box] == i
        shown[layer.box] = np.where(mine, layer.near, shown[layer.box])
        own = np.where(mine, layer.near, -np.inf).astype(np.float32)
        own = cv2.dilate(own, np.ones((3, 3), np.uint8))
        deepest[layer.box] = np.where(mine, own, deepest[layer.box])
        back[layer.box] = np.where(mine, layer.far, back[layer.box])
    out = []
    for layer in layers:
        front = shown[layer.box]
        other = layer.mask & ~layer.own & np.isfinite(front)
        # a neighbour's overlap lies almost in the same surface; what is hidden lies deeper
        hidden = other & (layer.near - front > 0.012)
        limit = deepest[layer.box] + np.where(hidden, HIDDEN_GAP, OVERLAP_GAP)
        push = np.where(other, np.maximum(limit - layer.near, 0), 0).astype(np.float32)
        mask = layer.mask
        if layer.part.kind == "limb":
            mask = mask & (layer.bridge | ~(push > 0.015 + OVERLAP_GAP))
        # an own pixel beside a pushed one must not leave a step: let the push fade out
        spread = pull_push(push, (other | layer.own).astype(np.float32))
        near = layer.near + np.where(mask, push, spread)
        middle = layer.far
        if layer.bridge.any():
            bent = _bent_back(layer, push, body_height)
            near, middle = np.where(layer.own, near + bent, near), middle + bent
        overlap = other & ~hidden
        far = np.where(overlap, np.minimum(middle, back[layer.box] - OVERLAP_GAP), middle)
        far = np.maximum(far, near + 0.002)
        out.append(replace(layer, mask=mask, near=near.astype(np.float32), far=far))
    return out
