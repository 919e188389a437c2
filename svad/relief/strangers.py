"""Cloth that an arm's pixels show where it is bare: it belongs to what is beside the arm."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.geometry.camera import Camera
from svad.media.fields import grown, nearest_known
from svad.relief.colour import steady_lab
from svad.relief.labels import PartMaps
from svad.relief.layers import bounding_box
from svad.relief.worn import View, limbs_worn

BEYOND = 0.15  # bones beyond its end where nothing is sleeve any more
CUFF = 1.6  # bones; from there on a long sleeve may show what is beside it
EDGE = 3  # px beside an arm that are not sure to be something else
REACH = 0.04  # of the body's height, within which cloth is beside the arm
ALIKE = 8.0  # in Lab: the same cloth
CLEARLY = 10.0  # in Lab: so much nearer to what is beside the arm than to the arm itself
SAMPLES = 3000  # colours of a cloth
FEWEST = 20  # px of it
MOST = 0.6  # of a piece that must look like what is beside it: patterns have lines of their own


def without_strangers(
    labels: np.ndarray,  # [H, W] int32, -1 outside the person
    drawn: list[PartMaps],
    rgb: np.ndarray,  # [H, W, 3] uint8
    skin: np.ndarray | None,  # [H, W] bool, skin-coloured; None = no face was found
    hands: np.ndarray,  # [H, W] bool, where hands were found
    camera: Camera,
    joints: np.ndarray,  # [55, 3] posed
    body_height: float,  # px
) -> np.ndarray:  # [H, W] int32
    """Beyond its sleeve an arm is bare, a bare hand is skin: what else is there is not the arm's.

    The body's hand in a pocket lies on the pocket, and a forearm's outline takes a strip of a shirt
    along: what looks like the cloth beside the arm, and not like its sleeve, goes to that cloth.
    What looks like neither is a bracelet.
    """
    if skin is None:
        return labels
    views = {
        i: _view(p, labels == i)
        for i, p in enumerate(drawn)
        if "_arm" in p.part.name and (p.maps.covered & (labels == i)).sum() >= FEWEST
    }
    worn = limbs_worn(views, rgb, skin, hands, camera, joints)
    lab = steady_lab(rgb)
    reach = round(REACH * body_height)
    out = labels.copy()
    for i, view in views.items():
        box, arm = view.box, view.part.name[: view.part.name.index("_arm")]
        mine = [k for k, p in enumerate(drawn) if p.part.name.startswith(f"{arm}_arm")]
        start = min(worn[i].end + BEYOND, CUFF)
        beyond = worn[i].place[..., 0] > start
        own = skin[box] if start < CUFF else skin[box] | ~beyond
        zone, known = np.zeros(labels.shape, bool), np.zeros(labels.shape, bool)
        zone[box] = view.sure & ~skin[box] & beyond & ~worn[i].tip & ~hands[box]
        known[box] = view.sure & own
        others = (labels >= 0) & ~grown(np.isin(labels, mine), EDGE)
        beside = others & grown(zone, reach)
        if min(mask.sum() for mask in (zone, known, beside)) < FEWEST:
            continue
        foreign = _foreign(lab, zone, known, beside)
        near = _wider(box, labels.shape, reach)
        given = nearest_known(labels[near], others[near])
        out[near] = np.where(foreign[near], given, out[near])
    return out


def _foreign(
    lab: np.ndarray,  # [H, W, 3]
    zone: np.ndarray,  # [H, W] bool
    known: np.ndarray,  # [H, W] bool, what is surely the arm's: skin, and the sleeve of a long one
    beside: np.ndarray,  # [H, W] bool
) -> np.ndarray:  # [H, W] bool
    """Connected pieces of a zone that are unlike the arm, and mostly like the cloth beside it."""
    to_arm, to_cloth = (_distance(lab[mask], lab[zone]) for mask in (known, beside))
    unlike, alike = np.zeros(zone.shape, np.uint8), np.zeros(zone.shape, bool)
    unlike[zone] = to_arm > CLEARLY
    alike[zone] = to_cloth < np.minimum(ALIKE, to_arm - CLEARLY)
    pieces = cv2.connectedComponents(unlike, connectivity=4)[1]
    share = np.bincount(pieces.ravel(), alike.ravel()) / np.bincount(pieces.ravel())
    return (unlike > 0) & np.isin(pieces, np.flatnonzero(share > MOST))


def _distance(
    cloth: np.ndarray,  # [P, 3]
    colours: np.ndarray,  # [Q, 3]
) -> np.ndarray:  # [Q]
    """To the nearest colour of a cloth."""
    return cKDTree(cloth[:: 1 + len(cloth) // SAMPLES]).query(colours, workers=-1)[0]


def _view(
    p: PartMaps,
    own: np.ndarray,  # [H, W] bool
) -> View:
    """What a part's pixels show, at the depth of the body."""
    box = bounding_box(own, 0)
    return View(p.part, box, nearest_known(p.maps.near[box], p.maps.covered[box]), own[box])


def _wider(
    box: tuple[slice, slice],
    shape: tuple[int, ...],  # H, W
    px: int,
) -> tuple[slice, slice]:
    """A box with what is beside it."""
    rows, columns = (
        slice(max(0, side.start - px), min(size, side.stop + px))
        for side, size in zip(box, shape, strict=True)
    )
    return rows, columns
