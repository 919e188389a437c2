"""Cloth that hangs around both legs: its loop in depth, and how it follows them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from svad.body.skeleton import ANKLES, HIPS, KNEES, LARGE, Joint
from svad.geometry.camera import Camera
from svad.geometry.sampling import smoothstep
from svad.media.fields import blur, masked_blur, pull_push
from svad.relief.body_surface import BodySurface
from svad.relief.labels import PartMaps
from svad.relief.skirt import Skirt
from svad.relief.surface import Surface
from svad.relief.weights import bone_position

ROUND = (0.6, 0.9)  # depth over width of the loop: around the hips, and where it flares most
FLARE = 0.9  # growth of the width from hips to hem with which a skirt flares most
CLEAR = 0.012  # metres of air between the legs and the cloth in front of and behind them
FAR = 1e3  # metres; beyond every person
HEM = 0.1  # of the skirt's length: a hem that is not level hides how wide the last rows are
JOIN = 0.11  # of the body's height over which it leaves the torso's own surface
WAIST = (-0.55, -0.2)  # thigh lengths below the hip joints between which the loop takes over
LIFT = (-0.3, 0.35)  # thigh lengths between which the cloth leaves the pelvis for the thighs
SLACK = 0.4  # thigh lengths by which it leaves it later midway between the legs
BEND = (0.75, 1.35)  # thigh lengths between which it goes from the thighs to the shins
FOLLOW = 0.9  # share of the shins in what hangs below the knees
UNFOLDED = 1.15  # width of the blend from leg to leg over the legs' distance beyond the hips'
STEEP = 1.3  # how much sooner than at the very side the cloth is one leg's alone


def under_skirt(p: PartMaps, skirt: Skirt) -> np.ndarray:  # [H, W] bool
    """The leg goes on inside the lowest part of a skirt."""
    inside = skirt.mask & (np.arange(len(skirt.mask))[:, None] > skirt.legs_from)
    return inside & p.maps.covered & (p.weight > 0.55)


def flared(
    surface: Surface,
    p: PartMaps,  # of the skirt's own part: hips and legs
    mask: np.ndarray,  # [H, W] bool
    box: tuple[slice, slice],
    skirt: Skirt,
    px_per_m: float,
    body_height: float,  # px
) -> Surface:
    """A skirt hangs around both legs: nearly as deep as it is wide, and never through a leg."""
    rows = np.arange(box[0].start, box[0].stop, dtype=np.float32)
    t = np.clip((rows - skirt.top) / max(1, skirt.hem - skirt.top), 0, 1)
    known = mask.any(1)
    hung = rows >= skirt.top  # above it the sheet goes on up to the waist
    wide = _half_widths(mask, t) / px_per_m
    upper = known & hung & (t < 0.2)
    hips = float(np.median(wide[upper])) if upper.any() else wide.max()
    flare = np.clip((wide / max(hips, 1e-3) - 1) / FLARE, 0, 1)
    deep = wide * (ROUND[0] + (ROUND[1] - ROUND[0]) * flare)
    body = p.maps.covered.any(1)
    # cloth hangs straight down from what holds it out: belly, thighs or knees, and the seat
    legs = p.maps.covered & hung[:, None]
    nearest = np.minimum.accumulate(np.where(legs, p.maps.near, FAR).min(1))
    farthest = np.maximum.accumulate(np.where(legs, p.maps.far, 0).max(1))
    middle = _straight(rows, (nearest + farthest) / 2, known & body & hung)
    least = np.where(body & hung, (farthest - nearest) / 2 + CLEAR, 0)
    half = np.where(known, np.maximum(deep, least), 0).astype(np.float32)[:, None, None]
    weight = known.astype(np.float32)[:, None]
    smooth = masked_blur(half, weight, 0.02 * body_height)
    smooth = pull_push(np.where(weight[..., None] > 0, smooth, 0), weight)[:, 0]
    join = smoothstep((rows - skirt.top) / (JOIN * body_height))[:, None]
    return replace(
        surface,
        middle=(surface.middle * (1 - join) + middle[:, None] * join).astype(np.float32),
        half=(surface.half * (1 - join) + smooth * join).astype(np.float32),
    )


def _straight(
    rows: np.ndarray,  # [H] row numbers
    values: np.ndarray,  # [H]
    known: np.ndarray,  # [H] bool
) -> np.ndarray:  # [H]
    """A line through what is known: cloth hangs straight past bent knees and calves."""
    if known.sum() < 2:
        return np.full(len(rows), values[known].mean() if known.any() else 0.0)
    return np.polyval(np.polyfit(rows[known], values[known], 1), rows)


def _half_widths(
    mask: np.ndarray,  # [H, W] bool
    t: np.ndarray,  # [H] 0 at the skirt's top, 1 at its hem
) -> np.ndarray:  # [H] px
    """Half the width of every row; the last rows are as wide as those above the hem."""
    columns = mask.shape[1]
    first, last = mask.argmax(1), columns - 1 - mask[:, ::-1].argmax(1)
    wide = np.where(mask.any(1), (last - first + 1) / 2, 0).astype(np.float32)
    above = (t > 1 - 2 * HEM) & (t < 1 - HEM / 2) & mask.any(1)
    if above.any():
        wide = np.where(t > 1 - HEM, np.maximum(wide, wide[above].max()), wide)
    return wide


def eased(
    push: np.ndarray,  # [H, W] metres
    reach: float,  # px
) -> np.ndarray:  # [H, W] metres
    """At least the push itself, fading out around it."""
    side = 2 * round(reach) + 1
    wide = cv2.dilate(push, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return np.maximum(push, blur(wide, reach / 2)).astype(np.float32)


def out_of_cloth(
    body: BodySurface,
    skirt: Skirt,
    camera: Camera,  # of the picture the skirt lies in
) -> BodySurface:
    """The body's samples without the legs inside the skirt, which is a closed surface itself."""
    legs = body.weights[:, [*HIPS, *KNEES, *ANKLES]].sum(1) > 0.5
    pixels = camera.project(body.xyz)
    column, row = np.floor(pixels[:, :2]).astype(int).T
    h, w = skirt.mask.shape
    covered = skirt.mask[row.clip(0, h - 1), column.clip(0, w - 1)]
    return body.select(~(legs & covered & (row < skirt.legs_from)))


@dataclass(frozen=True)
class Drape:
    """Skin weights of cloth around both legs, by the place along them and around the loop alone.

    From one side to the other the cloth goes smoothly from the left leg to the right one, so that
    a step stretches it and tears nothing; torso and skirt follow the same rule where they meet.
    """

    layers: tuple[int, int]  # numbers of the torso and the skirt
    joints: np.ndarray  # [55, 3] posed
    reach: np.ndarray  # [B] metres from the middle to the side of the loop, by places along it
    places: np.ndarray  # [B] thigh lengths, then shin lengths, below the hip joints

    @classmethod
    def around(
        cls,
        xyz: np.ndarray,  # [P, 3] the skirt, in the photo's pose
        joints: np.ndarray,  # [55, 3] posed
        layers: tuple[int, int],
    ) -> Drape:
        """Measures the loop from the skirt's own points."""
        places = np.arange(-0.6, 2.4, 0.1)
        along = _along(xyz, joints)
        side = np.abs(_aside(xyz, along, joints)[0])
        reach = np.zeros(len(places), np.float32)
        for k, place in enumerate(places):
            near = np.abs(along - place) < 0.1
            if near.sum() > 20:
                reach[k] = np.quantile(side[near], 0.97)
        known = reach > 0
        if not known.any():
            return cls(layers, joints, np.full(len(places), 0.2, np.float32), places)
        reach = np.interp(places, places[known], reach[known])
        padded = np.pad(reach, 1, mode="edge")
        reach = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        return cls(layers, joints, reach.astype(np.float32), places)

    def weights(
        self,
        xyz: np.ndarray,  # [P, 3] in the photo's pose
        weights: np.ndarray,  # [P, 22]
        layer: np.ndarray,  # [P]
    ) -> np.ndarray:  # [P, 22]
        """The weights, with those of skirt and lower torso replaced."""
        mine = np.flatnonzero(np.isin(layer, self.layers))
        along = _along(xyz[mine], self.joints)
        low = along > WAIST[0]
        mine, along = mine[low], along[low]
        if not len(mine):
            return weights
        share = smoothstep(_between(along, *WAIST))[:, None]
        out = weights.copy()
        out[mine] = weights[mine] * (1 - share) + self._hung(xyz[mine], along) * share
        return out

    def _hung(self, xyz: np.ndarray, along: np.ndarray) -> np.ndarray:  # [P, 22]
        side, astride = _aside(xyz, along, self.joints)
        reach = np.interp(along, self.places, self.reach) / STEEP
        # legs astride come together at rest: a blend steeper than this would fold the cloth
        reach = np.maximum(reach, UNFOLDED * astride)
        u = np.clip(side / reach, -1, 1)
        left = smoothstep((u + 1) / 2)
        middle = 1 - u * u
        pelvis = 1 - smoothstep(_between(along, LIFT[0], LIFT[1] + SLACK * middle))
        shin = FOLLOW * smoothstep(_between(along, *BEND))
        out = np.zeros((len(xyz), LARGE), np.float32)
        out[:, Joint.PELVIS] = pelvis
        for hip, knee, part in zip(HIPS, KNEES, (left, 1 - left), strict=True):
            out[:, hip] = (1 - pelvis) * part * (1 - shin)
            out[:, knee] = (1 - pelvis) * part * shin
        return out


def _between(x: np.ndarray, low: float, high: np.ndarray | float) -> np.ndarray:
    """0 at `low`, 1 at `high`."""
    return (x - low) / (high - low)


def _along(xyz: np.ndarray, joints: np.ndarray) -> np.ndarray:  # [P]
    """The place along the middle of both legs: 0 at the hip joints, 1 knees, 2 ankles."""
    hips, knees, ankles = (joints[list(pair)].mean(0) for pair in (HIPS, KNEES, ANKLES))
    thigh, shin = bone_position(xyz, hips, knees), bone_position(xyz, knees, ankles)
    return np.minimum(thigh, 1) + np.maximum(shin, 0)


def _aside(
    xyz: np.ndarray, along: np.ndarray, joints: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # [P], [P] metres
    """How far points lie from the middle between the legs towards the left one.

    And how much farther apart the legs are there than the hip joints.
    """
    at = np.array([0.0, 1.0, 2.0])
    left, right = (joints[[pair[k] for pair in (HIPS, KNEES, ANKLES)]] for k in (0, 1))
    lefts, rights = (
        np.stack([np.interp(along, at, leg[:, c]) for c in range(3)], 1) for leg in (left, right)
    )
    gap = np.linalg.norm(lefts - rights, axis=1)
    astride = np.maximum(gap - np.linalg.norm(left[0] - right[0]), 0)
    # half of the pelvis's own direction keeps the sides apart where legs touch or cross
    apart = lefts - rights + 0.5 * (left[0] - right[0])
    apart /= np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6)
    return ((xyz - (lefts + rights) / 2) * apart).sum(1), astride
