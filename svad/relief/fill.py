"""Shape completion from the body for what no photo of this pose shows: hidden sides, cut legs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.body import skeleton as sk
from svad.body.skeleton import Joint
from svad.geometry.camera import Camera
from svad.relief.body_surface import GROUPS, BodySurface
from svad.relief.fill_colours import fill_colours
from svad.relief.points import FILL, OPAQUE, Points, oriented

DEEPEST = 0.15  # metres a sample may be moved back to stay hidden in the photo
WHOLE = 0.9  # of a hidden hand's samples are hidden where all of it goes as far back
MISSING = 0.5  # of a hand's samples that no layer covers where it has none of its own
CLEAR = 0.01  # metres it goes farther than it must: skin must not shine through cloth
WRIST = 0.1  # weight of the hand from which a sample is its wrist
UNDER_SKIRT = -0.02  # metres
CORE = 0.012  # metres the inner body lies under its skin, and behind what the photo shows
BEYOND = 0.006  # metres; outside the frame layers end, so the fill may come closer to them
UNSEEN_CLOTH = {  # metres the fill lies above the body where no clothes are seen
    "torso": 0.008,
    "head": 0.004,
    "upper_arms": 0.008,
    "forearms": 0.008,
    "hands": 0.002,
    "thighs": 0.012,
    "shins": 0.016,
    "feet": 0.010,
}


@dataclass(frozen=True)
class Hands:
    """What is known of hands that the photo does not show."""

    rgb: np.ndarray | None = None  # [3] their colour; None = they have gloves, or no face was found
    lost: tuple[int, ...] = ()  # wrists of those of which nothing was found


def missing_points(
    body: BodySurface,
    layers: Points,
    camera: Camera,
    matte: np.ndarray,  # [H, W] bool
    shown: np.ndarray,  # [H, W] metres, depth of what the photo shows, inf elsewhere
    reach: float,  # metres: body closer than this to a layer point is not missing
    open_sides: tuple[bool, bool, bool, bool],  # the person is cut by the left, top, right, bottom
    hands: Hands,
    skirted: bool = False,  # the thighs are under a skirt and must not look out of it
) -> Points:
    """Body samples that no layer covers, coloured from the nearest layer of the same limb.

    Inside the frame the photo knows better: samples outside its matte are left out, and those in
    front of what it shows (a hand in a pocket) go behind it, if that is a short way.
    """
    share = np.stack([body.weights[:, list(j)].sum(1) for j in GROUPS.values()], 1)
    thickness = share @ cloth_thickness(body, layers)
    if skirted:
        thickness = np.where(body.weights[:, list(sk.HIPS)].sum(1) > 0.3, UNDER_SKIRT, thickness)
    xyz = body.xyz + thickness[:, None] * body.normals
    distance = _distance(layers.xyz[::3], xyz, reach)
    h, w = matte.shape
    pixels, column, row, framed = _in_picture(xyz, camera, h, w)
    near = np.full(len(xyz), reach, np.float32)
    for _, shoulder, elbow, wrist in sk.ARMS.values():
        arm = body.weights[:, [elbow, wrist]].sum(1) > 0.5
        if hand_is_seen(body, layers, wrist):
            near[body.weights[:, wrist] > 0.5] = np.inf
        else:  # cloth or a back that hides the arm lies close to it and does not replace it
            near[arm] = np.minimum(thickness[arm] + 0.014, reach)
            own = layers.weights[:, [shoulder, elbow, wrist]].sum(1) > 0.5
            distance[arm] = _distance(layers.xyz[own][::3], xyz[arm], reach)
    # an infinite `near` covers samples for which no layer point was found at all
    keep = ~(np.minimum(distance, 1e3) < np.where(framed, near, BEYOND))
    c, r = column.clip(0, w - 1), row.clip(0, h - 1)
    behind = np.where(framed & matte[r, c], shown[r, c] + 0.006 - pixels[:, 2], 0)
    behind = np.where(np.isfinite(behind), np.maximum(behind, 0), 0)
    for wrist in hands.lost:
        behind, keep = whole_hand(behind, keep, body.weights[:, wrist])
    xyz = camera.unproject(pixels + np.stack([0 * behind, 0 * behind, behind], 1))
    keep &= ~framed | (matte[r, c] & (behind < DEEPEST))
    left, top, right, bottom = open_sides
    outside = (
        ((column < 0) & left) | ((row < 0) & top) | ((column >= w) & right) | ((row >= h) & bottom)
    )
    keep &= framed | outside
    return _points(body, np.flatnonzero(keep), xyz, camera, layers, hands.rgb)


def whole_hand(
    behind: np.ndarray,  # [M] metres that samples go back to be hidden
    keep: np.ndarray,  # [M] bool, samples that no layer covers
    hand: np.ndarray,  # [M] weight of the hand
) -> tuple[np.ndarray, np.ndarray]:  # [M] metres, [M] bool
    """A hand that no layer has goes behind what hides it in one piece.

    The wrist bends back with it and is kept too, or it would hang in the air beside the sleeve.
    """
    mine = hand > 0.5
    far = behind[mine & (behind < DEEPEST)]
    if keep[mine].sum() <= MISSING * mine.sum() or not far.any():
        return behind, keep
    push = float(np.quantile(far, WHOLE))
    return np.maximum(behind, (push + CLEAR) * hand), keep | (hand > WRIST)


def _distance(
    points: np.ndarray,  # [P, 3]
    xyz: np.ndarray,  # [M, 3]
    reach: float,
) -> np.ndarray:  # [M], infinite beyond the reach
    if not len(points):
        return np.full(len(xyz), np.inf)
    return cKDTree(points).query(xyz, distance_upper_bound=reach, workers=-1)[0]


def core_points(
    body: BodySurface,
    layers: Points,
    camera: Camera,
    matte: np.ndarray,  # [H, W] bool
    shown: np.ndarray,  # [H, W] metres, depth of what the photo shows, inf elsewhere
) -> Points:
    """The body inside its clothes, closed: what shows where layers part in another pose.

    Everywhere a finger's breadth under the body's own surface, in the colours of the layers above
    it, and behind what the photo shows. Hands, feet and the head, which are no larger than that
    or have a surface of their own, are left out.
    """
    apart = body.weights[:, [*sk.WRISTS, *sk.ANKLES, *sk.FEET, Joint.HEAD]].sum(1)
    xyz = body.xyz - CORE * body.normals
    h, w = matte.shape
    pixels, column, row, framed = _in_picture(xyz, camera, h, w)
    c, r = column.clip(0, w - 1), row.clip(0, h - 1)
    wide = 2 * float(np.median(body.spacing) * camera.focal[1] / np.median(pixels[:, 2]))
    side = 2 * int(np.ceil(wide)) + 1  # no splat reaches over the outline
    inner = cv2.erode(matte.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    front = np.where(framed & matte[r, c], shown[r, c] + CORE, 0)
    behind = np.where(framed & np.isfinite(front), np.maximum(front - pixels[:, 2], 0), 0)
    pixels[:, 2] += behind
    keep = (apart < 0.5) & (~framed | (inner[r, c] & (behind < DEEPEST)))
    return _points(body, np.flatnonzero(keep), camera.unproject(pixels), camera, layers, None)


def _in_picture(
    xyz: np.ndarray,  # [M, 3]
    camera: Camera,
    height: int,  # px
    width: int,  # px
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pixels and depths [M, 3], columns [M], rows [M], and which are in the frame [M]."""
    pixels = camera.project(xyz)
    column, row = np.floor(pixels[:, 0]).astype(int), np.floor(pixels[:, 1]).astype(int)
    framed = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    return pixels, column, row, framed


def _points(
    body: BodySurface,
    chosen: np.ndarray,  # [K] of the samples
    xyz: np.ndarray,  # [M, 3] where the samples are put
    camera: Camera,
    layers: Points,
    hand_rgb: np.ndarray | None,  # [3]
) -> Points:  # K
    if not len(chosen):
        return layers.select(np.zeros(0, int))
    normals, pixels = body.normals[chosen], camera.project(xyz[chosen])[:, :2]
    rgb = fill_colours(body, chosen, pixels, camera, layers, hand_rgb)
    across = np.cross(normals, np.array([0.0, 0.0, 1.0], np.float32))
    flat = np.linalg.norm(across, axis=1) < 1e-3
    across[flat] = (1, 0, 0)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    along = np.cross(normals, across)
    step = body.spacing[chosen]
    scales, quats = oriented(1.35 * across * step[:, None], 1.35 * along * step[:, None], step)
    n = len(chosen)
    return Points(
        xyz[chosen].astype(np.float32), scales, quats, rgb, np.full(n, OPAQUE, np.float32),
        body.weights[chosen], pixels, np.full(n, FILL, np.uint8),
        np.full(n, 255, np.uint8), np.zeros(n, bool),
    )  # fmt: skip


def hand_is_seen(body: BodySurface, layers: Points, wrist: int) -> bool:
    """Whether the photo shows a good part of a hand: then the body's need not be added."""
    seen = (layers.seen & (layers.weights[:, wrist] > 0.5)).sum()
    whole = (body.weights[:, wrist] > 0.5).sum() / 2  # samples of the side that faces the camera
    return bool(seen > 0.2 * whole)


def cloth_thickness(body: BodySurface, layers: Points) -> np.ndarray:  # [groups] metres
    """How far the seen clothes of each limb group lie above the body; unseen limbs get a guess."""
    out = np.array([UNSEEN_CLOTH[name] for name in GROUPS], np.float32)
    seen = layers.select(np.flatnonzero(layers.seen)[::7])
    for g, joints in enumerate(GROUPS.values()):
        mine = np.flatnonzero(body.group == g)
        points = seen.xyz[seen.weights[:, list(joints)].sum(1) > 0.6]
        if len(points) < 60 or len(mine) < 60:
            continue
        distance, index = cKDTree(body.xyz[mine]).query(points, workers=-1)
        outward = ((points - body.xyz[mine][index]) * body.normals[mine][index]).sum(1)
        near = outward[distance < 0.08]
        if len(near) > 40:
            out[g] = np.clip(np.median(near), 0.002, 0.03)
    hands = list(GROUPS).index("hands")
    out[hands] = min(out[hands], 0.004)
    return out


def frame_cuts(
    matte: np.ndarray,  # [H, W] uint8
    least: int = 12,  # px of the person at a border
) -> tuple[bool, bool, bool, bool]:
    """Whether the person is cut by the left, top, right, bottom border of the picture."""
    m = matte > 127
    edges = (m[:, 0], m[0], m[:, -1], m[-1])
    left, top, right, bottom = (int(edge.sum()) >= least for edge in edges)
    return left, top, right, bottom
