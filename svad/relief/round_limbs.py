"""Colours around limbs that point at the camera: the back of a hand's pixel is the forearm's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from svad.relief.layer import Layer
from svad.relief.points import Points
from svad.relief.scene import Scene
from svad.relief.shown import Shown
from svad.relief.worn import Worn, places_on

AWAY = 0.15  # bones between the places of a pixel and of what lies behind it
FEWEST = 80  # px of a material that tell how it looks


def with_materials(
    points: Points,
    layers: list[Layer],
    limbs: dict[int, tuple[Worn, Shown]],  # by the number of the layer
    scene: Scene,
    joints: np.ndarray,  # [55, 3] posed
) -> Points:
    """The points whose hidden ones have the material of their own place along the limb.

    Where a pixel shows skin and its back lies under a sleeve (or the other way round), the back
    takes the colours that the photo shows of sleeves nearest to that place.
    """
    rgb = points.rgb.copy()
    for i, (worn, shown) in limbs.items():
        mine = np.flatnonzero((points.layer == i) & ~points.seen)
        place = places_on(layers[i].part, points.xyz[mine], scene.camera, joints)
        corner = np.asarray(layers[i].corner(scene.origin))
        column, row = np.floor(points.pixel[mine] - corner).astype(int).T
        h, w = worn.place.shape[:2]
        pixel = row.clip(0, h - 1), column.clip(0, w - 1)
        before, along = worn.place[(*pixel, 0)], place[:, 0]
        away = np.abs(along - before) > AWAY
        was, cloth = worn.is_cloth(before), worn.is_cloth(along)
        for wanted, other in ((True, ~was | (shown.bare & shown.pure)[pixel]), (False, was)):
            these, source = away & other & (cloth == wanted), worn.showing(cloth=wanted)
            if these.any() and len(source.rgb) >= FEWEST:
                rgb[mine[these]] = source.at(place[these])
    return replace(points, rgb=rgb)
