"""The colours of what the body model adds to the layers."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.geometry.camera import Camera
from svad.relief.body_surface import GROUPS, BodySurface
from svad.relief.points import BACK, FRONT, Points

FEWEST = 100  # points of a limb group that tell its colour
ENOUGH = 6000  # seen points per limb group that colours are taken from
GOES_ON = {"shins": "thighs", "forearms": "upper_arms"}  # as what, where none of it is seen
LAST = 0.25  # of what is seen of a limb: its last piece, as which it goes on
SHADED = 0.14  # share by which what has one colour is lighter above and ahead, darker behind
LIT = 0.5  # cosine to the light at which it has that colour
CLOTHED = ("torso", "upper_arms", "forearms", "thighs", "shins")  # whose layers have backs


def fill_colours(
    body: BodySurface,
    chosen: np.ndarray,  # [K] of the samples
    pixels: np.ndarray,  # [K, 2] working px, where they lie in the photo
    camera: Camera,
    layers: Points,
    hand_rgb: np.ndarray | None,  # [3] of hands that the photo does not show
) -> np.ndarray:  # [K, 3]
    """The colours of the same limb group: at that pixel, else near by.

    Limbs that were never seen get a guess. One cut off by the frame goes on as it ends there: one
    trouser leg has one colour. What has one colour is shaded, or it would look cut from paper.
    """
    normals, ahead = body.normals[chosen], -camera.rotation[2]
    flat = np.ones((len(chosen), 1), np.float32)
    names = list(GROUPS)
    known = np.stack([layers.weights[:, list(j)].sum(1) for j in GROUPS.values()]).argmax(0)
    rgb = np.zeros((len(chosen), 3), np.float32)
    clothes = _lowest_clothes(layers, known, names)
    for g, name in enumerate(names):
        mine = np.flatnonzero(body.group[chosen] == g)
        if not len(mine):
            continue
        source, middle = np.flatnonzero(known == g), body.xyz[chosen[mine]].mean(0)
        if name in CLOTHED:
            there = _at_pixel(layers, source, pixels[mine], normals[mine] @ ahead < 0)
            printed = mine[there >= 0]
            rgb[printed], flat[printed] = layers.rgb[there[there >= 0]], 0
            mine = mine[there < 0]
        if name in GOES_ON and len(source) < FEWEST:
            source = np.flatnonzero(known == names.index(GOES_ON[name]))
            source = _nearest(source, layers.xyz, middle)
        if name == "hands" and hand_rgb is not None:
            rgb[mine] = hand_rgb
        elif name == "feet" and len(source) < 200:
            rgb[mine] = 0.35 * clothes + 0.02
        elif len(source) < FEWEST:
            rgb[mine] = 0.85 * clothes
        else:
            source = source[:: max(1, len(source) // ENOUGH)]
            rgb[mine], flat[mine] = _near_by(layers, source, body.xyz[chosen[mine]])
    lit = normals @ (ahead + (0, 1, 0)) / np.sqrt(2) - LIT
    return np.clip(rgb * (1 + SHADED * lit[:, None] * flat), 0, 1).astype(np.float32)


def _near_by(
    layers: Points,
    source: np.ndarray,  # [S] of the points
    xyz: np.ndarray,  # [M, 3]
) -> tuple[np.ndarray, np.ndarray]:  # [M, 3]; [M, 1] share of the colour that all of them have
    """The colour of the nearest points; far below the last seen cloth one colour is calmer."""
    tree = cKDTree(layers.xyz[source])
    _, index = tree.query(xyz, k=min(9, len(source)), workers=-1)
    near = np.median(layers.rgb[source][index], 1)
    distance = np.linalg.norm(layers.xyz[source][index[:, 0]] - xyz, axis=1)
    share = np.clip((distance - 0.05) / 0.10, 0, 1)[:, None]
    return near * (1 - share) + np.median(layers.rgb[source], 0) * share, share


def _at_pixel(
    layers: Points,
    source: np.ndarray,  # [S] of the points
    pixels: np.ndarray,  # [M, 2] working px
    away: np.ndarray,  # [M] bool
) -> np.ndarray:  # [M] of the points; -1 = none
    """The point of a layer's front or back that lies at a pixel: so patterns go on."""
    x, y = np.floor(pixels).astype(int).T
    out = np.full(len(pixels), -1)
    for side in (FRONT, BACK):
        those = source[layers.side[source] == side]
        column, row = np.floor(layers.pixel[those]).astype(int).T
        if not len(those):
            continue
        table = np.full((row.max() + 1, column.max() + 1), -1)
        table[row, column] = those
        mine = (away == (side == BACK)) & (x >= 0) & (y >= 0)
        mine &= (y < table.shape[0]) & (x < table.shape[1])
        out[mine] = table[y[mine], x[mine]]
    return out


def _nearest(
    source: np.ndarray,  # [K] of the points
    xyz: np.ndarray,  # [P, 3]
    place: np.ndarray,  # [3]
) -> np.ndarray:  # [K'] of the points
    """The last piece of a limb towards a place."""
    away = np.linalg.norm(xyz[source] - place, axis=1)
    return source[away <= np.quantile(away, LAST)] if len(source) else source


def _lowest_clothes(layers: Points, known: np.ndarray, names: list[str]) -> np.ndarray:  # [3]
    """Colour of the lowest clothes in the photo."""
    for name in ("shins", "thighs", "torso"):
        source = known == names.index(name)
        if source.sum() > 200:
            y = layers.xyz[source, 1]
            low = y < np.quantile(y, 0.25)
            return np.median(layers.rgb[source][low], 0)
    return np.array([0.3, 0.3, 0.32], np.float32)
