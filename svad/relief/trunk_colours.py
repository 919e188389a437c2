"""Colours of trunk and hips as one piece: hems lie where clothes end, not where layers do."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from svad.body.skeleton import LEGS
from svad.media.fields import grown, masked_blur
from svad.relief.colour import across, calmed, extended
from svad.relief.layer import Layer
from svad.relief.layers import PAD, bounding_box
from svad.relief.prints import chest_alone
from svad.relief.scene import Scene
from svad.relief.shown import seen_alone
from svad.relief.texture import synthesised
from svad.relief.weights import head_share

NEAR = 4.0  # px from what is known, where the nearest colour is better than any patch
HANGING = 0.6  # of a thigh's length that its knee lies below its hip
HEAD = 0.3  # share of the head above which the head's own texture takes over
MIXED = 3  # px beside an arm that show a mixture with it, and its shade
LEVEL = 0.5  # as `texture.STRAY`; ten times it keeps the hem of a back level
JOINT = 8  # px beside what is completed, made with it: patches must reach what is known
SHADE = 8.0  # in L of Lab: so much darker than the cloth of its height is shade
SPOT = 0.012  # of the body's height: checks and folds are smaller than a shade
AROUND = 12  # px around what is hidden, where what is known tells whether it is skin,
BARE = 0.15  # which it is from this share of skin on


@dataclass(frozen=True)
class Dress:
    """The completed picture of trunk and hips, and its back, on the crop that labels lie on."""

    mask: np.ndarray  # [H, W] bool, what of it is theirs
    front: np.ndarray  # [H, W, 3]
    back: np.ndarray  # [H, W, 3]

    def on(
        self,
        layer: Layer,
        colours: tuple[np.ndarray, np.ndarray] | None,  # front, back [h, w, 3] of its own, of legs
    ) -> tuple[np.ndarray, np.ndarray]:  # front, back [h, w, 3]
        """The part of it that lies on a layer; elsewhere the layer keeps its own colours.

        So a leg that goes on inside a jacket has the jacket's colours there, and nothing foreign
        shows where the two part.
        """
        front, back = self.front[layer.box], self.back[layer.box]
        if colours is None:
            return front, back
        here = self.mask[layer.box][..., None]
        return np.where(here, front, colours[0]), np.where(here, back, colours[1])


def dressed(
    layers: list[Layer],
    labels: np.ndarray,  # [H, W] int32, which layer the photo shows
    hair: np.ndarray,  # [H, W] bool, pixels that show hair which falls over them
    scene: Scene,
    joints: np.ndarray,  # [55, 3] posed
    seed: int,
) -> Dress:
    """Trunk and hips completed under what hides them, and their back.

    The back is the front seen through the body, so that patterns, hems and folds go on around the
    flanks, without what the chest alone shows: that becomes cloth of the flanks.
    """
    arms = np.isin(labels, [i for i, one in enumerate(layers) if "arm" in one.part.name])
    own, whole, head = _trunk(layers, arms, hanging(joints))
    box = bounding_box(whole, PAD)
    pure, known = seen_alone(own[box], scene.matte[box])
    skin = np.zeros_like(pure) if scene.skin is None else scene.skin[box]
    alone = pure & ~grown(arms[box], MIXED)
    photo = _Photo(scene.rgb[box], own[box], alone, known, grown(hair[box], MIXED), skin)
    front = _front(photo, whole[box], seed)
    back = _back(photo, front, whole[box] & (head[box] < HEAD), scene.body_height, seed + 1)
    sides = np.zeros((2, *whole.shape, 3), np.float32)
    sides[0][box], sides[1][box] = front, back
    return Dress(whole, *sides)


@dataclass(frozen=True)
class _Photo:
    """What the photo shows of trunk and hips."""

    rgb: np.ndarray  # [h, w, 3]
    own: np.ndarray  # [h, w] bool, pixels that show them,
    pure: np.ndarray  # [h, w] bool, and nothing else,
    known: np.ndarray  # [h, w] bool, well inside
    hair: np.ndarray  # [h, w] bool, hair that falls over them, with its edge
    skin: np.ndarray  # [h, w] bool


def _front(
    photo: _Photo,
    mask: np.ndarray,  # [h, w] bool, trunk and hips
    seed: int,
) -> np.ndarray:  # [h, w, 3]
    """Under what hides it cloth goes on as cloth, skin as skin; elsewhere it is the photo."""
    known, front = photo.known, extended(photo.rgb, photo.known)
    if known.any():
        away = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
        hidden = mask & ~photo.own & (away > NEAR)
        bare = beside(hidden, photo.skin & known, known)
        cloth = known & ~photo.hair & ~grown(photo.skin, MIXED)
        for part, source in ((hidden & ~bare, cloth), (bare, known)):
            made = synthesised(front, source, grown(part, JOINT) & mask & ~known, seed)
            front = np.where(part[..., None], made, front)
    return np.where(photo.pure[..., None], photo.rgb, front)


def _back(
    photo: _Photo,
    front: np.ndarray,  # [h, w, 3], completed
    cloth: np.ndarray,  # [h, w] bool, trunk and hips without the head
    body_height: float,  # px
    seed: int,
) -> np.ndarray:  # [h, w, 3]
    """The front without what the chest alone shows and without hair that falls over it."""
    told = photo.known & ~photo.hair
    alone = chest_alone(front, cloth & ~photo.hair, told, body_height) | (cloth & photo.hair)
    # patches come from what is seen: copies of what was completed would be copies of copies
    inner = cv2.erode(photo.pure.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    flanks = well_lit(front, cloth & inner & ~photo.hair & ~alone, body_height)
    guess = np.where(alone[..., None], across(front, flanks), front)
    back = synthesised(guess, flanks, alone, seed, LEVEL)
    return calmed(back, photo.skin & cloth & ~alone, body_height)


def well_lit(
    rgb: np.ndarray,  # [h, w, 3]
    cloth: np.ndarray,  # [h, w] bool
    body_height: float,  # px
) -> np.ndarray:  # [h, w] bool
    """Cloth that is not in the shade of an arm or a fold: darker, all around, than its own height.

    Patches of shade would lie on the back as stains.
    """
    light = cv2.cvtColor(rgb.astype(np.float32), cv2.COLOR_RGB2LAB)[..., 0]
    smooth = masked_blur(light, cloth, SPOT * body_height)
    rows = np.flatnonzero(cloth.any(1))
    if not len(rows):
        return cloth
    usual = np.array([np.median(smooth[y][cloth[y]]) for y in rows])
    usual = np.interp(np.arange(len(cloth)), rows, gaussian_filter1d(usual, SPOT * body_height))
    return cloth & (smooth > usual[:, None] - SHADE)


def beside(
    hidden: np.ndarray,  # [h, w] bool
    bare: np.ndarray,  # [h, w] bool, what is known and skin
    known: np.ndarray,  # [h, w] bool
) -> np.ndarray:  # [h, w] bool
    """The pieces of what is hidden that go on from skin: a shoulder without a sleeve."""
    count, pieces = cv2.connectedComponents(hidden.astype(np.uint8))
    out = np.zeros(hidden.shape, bool)
    for k in range(1, count):
        piece = pieces == k
        around = grown(piece, AROUND) & known
        if bare[around].sum() > BARE * around.sum():
            out |= piece
    return out


def hanging(joints: np.ndarray) -> tuple[str, ...]:  # [55, 3] posed
    """The sides whose thigh hangs from the hips; one that is lifted is a piece of its own."""
    out = []
    for side, (hip, knee, *_) in LEGS.items():
        bone = joints[knee] - joints[hip]
        if -bone[1] > HANGING * np.linalg.norm(bone):
            out.append(side)
    return tuple(out)


def _trunk(
    layers: list[Layer],
    arms: np.ndarray,  # [H, W] bool, pixels of the photo that show one
    sides: tuple[str, ...],  # whose legs hang from the trunk
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # [H, W] bool, bool and 0..1
    """Pixels that show torso and skirt, those with what is hidden, and the share of the head.

    Without a skirt legs that hang belong to it as far down as the torso's cloth, or hands before
    them.
    """
    torso = next(layer for layer in layers if layer.part.is_torso)
    pieces = [layer for layer in layers if layer.part.kind == "skirt"]
    low = len(arms)
    if not pieces:
        legs = tuple(f"{side}_leg" for side in sides)
        pieces = [layer for layer in layers if layer.part.name.startswith(legs)]
        covered = np.zeros(arms.shape, bool)
        for layer in pieces:
            covered[layer.box] |= layer.mask & arms[layer.box]
        covered[torso.box] |= torso.mask
        low = np.flatnonzero(covered.any(1))[-1] + 1
    own, mask = np.zeros(arms.shape, bool), np.zeros(arms.shape, bool)
    for layer in (torso, *pieces):
        own[layer.box] |= layer.own
        mask[layer.box] |= layer.mask
    head = np.zeros(arms.shape, np.float32)
    head[torso.box] = head_share(torso.far_weights)
    own[low:] = mask[low:] = False
    return own, mask, head
