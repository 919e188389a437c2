"""Occlusion by arms: cloth with an arm before it gives way around it, along the flanks softly."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from svad.geometry.sampling import smoothstep
from svad.media.fields import blur
from svad.relief.drape import eased
from svad.relief.layer import Layer

HIDDEN_GAP = 0.02  # metres a hidden surface stays behind what hides it
EASED = 0.03  # of the body's height over which cloth gives way around a hand before it
FLANK = 0.14  # of it, a flank's width in the picture: half a trunk is less
WIDE = 0.01  # of it, the least width of a hidden outline: a finger's
HANGS = 0.25  # of it, up and down a flank over which cloth comes forward again; at .2 a fold stays
ARMPIT = (0.08, 0.16)  # of it below the shoulders: above the first, arms and trunk are one piece
SLOPE = 0.8  # metres per metre, how steeply it does so across a flank: less than it turns itself
EVEN = 0.008  # of the body's height over which that is evened out


def giving_way(
    layers: list[Layer],
    labels: np.ndarray,  # [H, W] int32, which layer the photo shows, -1 outside the person
    shoulders_y: float,  # px
    body_height: float,  # px
    px_per_m: float,
) -> list[Layer]:
    """Trunk and legs with hands before them give way around them, so that no dent is left.

    An arm behind the back, of which something is seen beside the waist, pushes nothing back. Heads
    and shoulders give way around a hand only, flanks along their length.
    """
    arm = _arms(layers, labels)
    cloth = [i for i, layer in enumerate(layers) if "arm" not in layer.part.name]
    pushes = {i: _push(layers[i], arm[layers[i].box]) for i in cloth}
    whole, area = np.zeros(labels.shape, np.float32), np.zeros(labels.shape, bool)
    for i, push in pushes.items():
        box = layers[i].box
        whole[box] = np.maximum(whole[box], push * _below_head(layers[i]))
        area[box] |= layers[i].mask
    hidden = area & ~np.isin(labels, cloth)
    below = (np.arange(len(whole), dtype=np.float32) - shoulders_y) / body_height
    free = smoothstep((below - ARMPIT[0]) / (ARMPIT[1] - ARMPIT[0]))[:, None]
    flank = free * along_flanks(free * whole, area, hidden, body_height, px_per_m)
    out = list(layers)
    for i, push in pushes.items():
        layer = layers[i]
        around = eased(push, EASED * body_height)
        back = np.maximum(around, flank[layer.box] * _below_head(layer))
        near = (layer.near + layer.mask * back).astype(np.float32)
        out[i] = replace(layer, near=near, far=np.maximum(layer.far, near + 0.002))
    return out


def _arms(layers: list[Layer], labels: np.ndarray) -> np.ndarray:  # [H, W] metres, -inf elsewhere
    """How deep the arms lie that the photo shows, at a pixel and its neighbours."""
    out = np.full(labels.shape, -np.inf, np.float32)
    for i, layer in enumerate(layers):
        if "arm" in layer.part.name:
            mine = labels[layer.box] == i
            depth = np.where(mine, layer.near, -np.inf).astype(np.float32)
            deepest = cv2.dilate(depth, np.ones((3, 3), np.uint8))
            out[layer.box] = np.where(mine, deepest, out[layer.box])
    return out


def _push(layer: Layer, arm: np.ndarray) -> np.ndarray:  # [h, w] metres
    """How far a layer's hidden pixels must go back to lie behind an arm before it."""
    push = np.maximum(arm + HIDDEN_GAP - layer.near, 0)
    before = layer.mask & ~layer.own & (arm < layer.surface.middle + layer.surface.half)
    return np.where(before, push, 0).astype(np.float32)


def _below_head(layer: Layer) -> np.ndarray | float:  # [h, w] 0..1, 0 on the head
    return 1 - np.clip(2 * layer.head, 0, 1)


def along_flanks(
    push: np.ndarray,  # [H, W] metres
    area: np.ndarray,  # [H, W] bool, trunk and legs with what is hidden of them
    hidden: np.ndarray,  # [H, W] bool, that
    body_height: float,  # px
    px_per_m: float,
) -> np.ndarray:  # [H, W] metres
    """The push of hidden outlines carried along both sides and inward, fading out.

    Cloth hangs: what lies behind a hand lies no step behind what is above and below it. Arms that
    cross before the trunk hide no outline, and a sliver of it tells of the fit, not of the cloth.
    """
    out = np.zeros_like(push)
    for turn in (1, -1):
        maps = push[:, ::turn], area[:, ::turn], hidden[:, ::turn]
        out = np.maximum(out, _along_left(*maps, body_height, px_per_m)[:, ::turn])
    return out


def _along_left(
    push: np.ndarray,  # [H, W] metres
    area: np.ndarray,  # [H, W] bool
    hidden: np.ndarray,  # [H, W] bool
    body_height: float,  # px
    px_per_m: float,
) -> np.ndarray:  # [H, W] metres
    """Along the left outline, in rows from it inward: so it follows cloth that flares."""
    h, w = push.shape
    filled = area.any(1)[:, None]
    rows, inward = np.arange(h)[:, None], np.arange(max(2, round(FLANK * body_height)))
    columns = area.argmax(1)[:, None] + inward
    at = rows, columns.clip(0, w - 1)
    outline = np.logical_and.accumulate(filled & hidden[at], 1)
    wide = outline.sum(1, keepdims=True) >= WIDE * body_height
    strip = np.where(outline & wide, push[at], 0)
    strip = sloping(hung(strip, HANGS * body_height), SLOPE / px_per_m)
    strip = blur(strip, EVEN * body_height) * smoothstep(2 - 2 * inward / len(inward))
    out = np.zeros_like(push)
    r, c = np.nonzero(filled & (columns < w))
    out[r, columns[r, c]] = strip[r, c]
    return out


def hung(
    values: np.ndarray,  # [H, W]
    reach: float,  # rows
) -> np.ndarray:  # [H, W]
    """The values carried up and down, fading out softly."""
    out = values.copy()
    away = np.arange(min(len(values), round(reach)), dtype=np.float32)
    for shift, share in list(enumerate(smoothstep(1 - away / reach)))[1:]:
        out[shift:] = np.maximum(out[shift:], share * values[:-shift])
        out[:-shift] = np.maximum(out[:-shift], share * values[shift:])
    return out


def sloping(
    values: np.ndarray,  # [H, W]
    slope: float,  # per column
) -> np.ndarray:  # [H, W]
    """The least that is nowhere below the values and falls no steeper along a row."""
    line = slope * np.arange(values.shape[1], dtype=np.float32)
    after = np.maximum.accumulate(values + line, 1) - line
    before = np.maximum.accumulate((values - line)[:, ::-1], 1)[:, ::-1] + line
    return np.maximum(after, before)
