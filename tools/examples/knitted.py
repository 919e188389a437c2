"""Knitted outfits: a cardigan with trousers, a hoodie with shorts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from tools.examples import fabrics
from tools.examples.accessories import glasses, necklace, socks
from tools.examples.dressing import Outfit, hidden_skin, hip_middle, shoes
from tools.examples.figure import Figure
from tools.examples.garments import (
    FABRICS,
    Bottom,
    Top,
    leg_slack,
    make_bottom,
    make_top,
    neck_held,
    on_top,
    top_slack,
    waist_held,
)
from tools.examples.picture import Piece
from tools.examples.shoes import Shoe
from tools.examples.tailor import Garment, Tailor
from tools.examples.trims import (
    buttons,
    cord,
    hood_field,
    neck_band,
    neck_loop,
    on_front,
    patch,
    piece,
)


def cardigan_and_trousers(figure: Figure, detail: int) -> Outfit:
    """A burgundy cardigan over a cream blouse, navy trousers, loafers, pearls and glasses."""
    tailor = Tailor(figure)
    loafers = shoes(
        tailor,
        Shoe(collar=0.058, rake=0.25, sole=0.020, toe_room=0.006),
        fabrics.leather("4a2a22", "1a1412", 0.021),
    )
    cut = Bottom(hem_radius=0.080, thigh_room=0.014, ease=0.010, rise=0.11, break_slack=0.06)
    trousers = make_bottom(tailor, cut)
    trousers = tailor.drape(
        trousers, FABRICS["cotton"], slack=leg_slack(tailor, cut), held=waist_held(trousers)
    )
    blouse = _blouse(tailor, trousers)
    knit = _cardigan(tailor, trousers, blouse)
    wool = fabrics.cloth(
        "7c2537", grain=0.08, thread=0.16, sheen=0.9, hem=0.0, rib=(0.026, 0.0075),
        creases=0.0014, crease_size=0.07,
    )  # fmt: skip
    satin = fabrics.cloth("efe4d2", thread=0.02, sheen=0.3, roughness=0.6, hem=0.01)
    twill = fabrics.cloth("2b3346", thread=0.08, sheen=0.35, hem=0.03, creases=0.0010)
    pieces = [
        piece("trousers", trousers, twill, levels=detail),
        piece("blouse", blouse, satin, levels=detail),
        piece("cardigan", knit, wool, thickness=0.005, levels=detail),
        _cardigan_buttons(figure, knit),
        *loafers,
        *glasses(figure, fabrics.plain("4a2b1c", 0.3, 0.9)),
        *necklace(tailor, blouse, fabrics.plain("e9e1d6", 0.2, 1.2)),
    ]
    return Outfit(pieces, hidden_skin(figure, [trousers, blouse, knit]))


def _blouse(tailor: Tailor, trousers: Garment) -> Garment:
    cut = Top(
        ease=0.008, sleeve=0.25, hem=0.0, hang=0.35, neck_side=0.082, neck_front=0.095,
        neck_back=0.07,
    )  # fmt: skip
    blouse = make_top(tailor, cut)
    return tailor.drape(
        blouse,
        FABRICS["viscose"],
        on=on_top(tailor, trousers),
        slack=top_slack(tailor, cut, 0.03, 0.03),
        held=neck_held(tailor, blouse, cut),
        seconds=0.8,
    )


def _cardigan(tailor: Tailor, trousers: Garment, blouse: Garment) -> Garment:
    cut = Top(
        ease=0.020, sleeve=0.97, sleeve_room=0.016, cuff_room=0.012, hem=-0.055, hang=0.4,
        neck_side=0.088, neck_front=0.10, neck_back=0.065, opening=0.055, hem_pull=0.96,
    )  # fmt: skip
    knit = make_top(tailor, cut)
    return tailor.drape(
        knit,
        FABRICS["wool"],
        on=on_top(tailor, trousers, blouse),
        slack=top_slack(tailor, cut, 0.08, 0.03),
        held=neck_held(tailor, knit, cut),
        seconds=1.0,
        ruffle=0.006,
    )


def _cardigan_buttons(figure: Figure, knit: Garment) -> Piece:
    """Along the edge of the left front."""
    side = knit.vertices[
        (knit.vertices[:, 0] > 0.01) & (knit.vertices[:, 2] > hip_middle(figure)[2])
    ]
    spots = []
    for height in np.linspace(side[:, 1].min() + 0.06, figure.joint("spine3")[1] + 0.03, 5):
        row = side[np.argsort(np.abs(side[:, 1] - height))[:160]]
        spots.append([row[:, 0].min() + 0.013, height])
    place, normal = on_front(knit, np.array(spots))
    return buttons(place, normal, fabrics.plain("3a1a16", 0.35, 0.8), 0.0085)


def hoodie_and_shorts(figure: Figure, detail: int) -> Outfit:
    """A sage hoodie, sand cargo shorts, white socks and trainers."""
    tailor = Tailor(figure)
    trainers = shoes(
        tailor,
        Shoe(collar=0.072, rake=0.50, sole=0.028, toe_room=0.012, leather=0.008),
        fabrics.trainer("39485c", "f6f3ec", "d9662f", "f7f4ee", 0.030),
    )
    cut = Bottom(length=0.46, hem_radius=0.105, thigh_room=0.030, ease=0.012, break_slack=0.0)
    shorts = make_bottom(tailor, cut)
    shorts = tailor.drape(
        shorts,
        FABRICS["denim"],
        slack=leg_slack(tailor, replace(cut, break_slack=0.04)),
        held=waist_held(shorts),
        ruffle=0.008,
    )
    body = _hoodie(tailor, shorts)
    pieces = [
        *_shorts_pieces(figure, shorts, detail),
        *_hoodie_pieces(tailor, body, detail),
        *socks(tailor, 0.15),
        *trainers,
    ]
    return Outfit(pieces, hidden_skin(figure, [shorts, body]))


def _hoodie(tailor: Tailor, shorts: Garment) -> Garment:
    cut = Top(
        ease=0.016, sleeve=0.97, sleeve_room=0.014, cuff_room=0.010, hem=0.03, hang=0.5,
        neck_side=0.078, neck_front=0.082, neck_back=0.066, hem_pull=0.84,
    )  # fmt: skip
    body = make_top(tailor, cut)
    return tailor.drape(
        body,
        FABRICS["wool"],
        on=on_top(tailor, shorts),
        slack=top_slack(tailor, cut, 0.11, 0.09),
        held=neck_held(tailor, body, cut),
        seconds=1.0,
        ruffle=0.008,
    )


def _shorts_pieces(figure: Figure, shorts: Garment, detail: int) -> list[Piece]:
    """Shorts with a pocket and its flap on either side."""
    middle = figure.joint("left_knee")[1] + 0.13

    def sack(g: Garment) -> list[np.ndarray]:
        return [0.062 - np.abs(g.flat[:, 0] - 0.115), 0.068 - np.abs(g.vertices[:, 1] - middle)]

    def flap(g: Garment) -> list[np.ndarray]:
        y = g.vertices[:, 1] - middle - 0.055
        return [0.064 - np.abs(g.flat[:, 0] - 0.115), 0.020 - np.abs(y)]

    sand = fabrics.cloth("b79f78", thread=0.07, hem=0.022, creases=0.0014, sheen=0.3)
    return [
        piece("shorts", shorts, sand, levels=detail),
        piece("cargo", patch(shorts, sack, 0.006, 2), sand, thickness=0.004, levels=detail),
        piece("flap", patch(shorts, flap, 0.010, 2), sand, thickness=0.003, levels=detail),
    ]


def _hoodie_pieces(tailor: Tailor, body: Garment, detail: int) -> list[Piece]:
    """Body, front pocket, hood, collar and the ends of its cord."""
    hips = hip_middle(tailor.figure)
    loop = neck_loop(tailor, body)

    def kangaroo(g: Garment) -> list[np.ndarray]:
        x, y = np.abs(g.vertices[:, 0]), g.vertices[:, 1] - hips[1] - 0.115
        return [
            0.085 - np.abs(y),
            0.135 - x - 0.55 * np.maximum(y + 0.02, 0),
            g.vertices[:, 2] - hips[2] - 0.03,
            0.5 - g.flat[:, 2],
        ]

    hood = tailor.cut(
        hood_field(tailor, loop),
        lambda points, rest, arm, leg: [np.ones(len(points))],
        lambda points, rest, arm, leg: np.concatenate([points[:, :2], 0 * points[:, :1]], 1),
    )
    collar = neck_band(tailor, body, height=0.030, lean=0.004)
    soft = partial(fabrics.cloth, "758a76", grain=0.07, thread=0.06, sheen=0.8)
    ribbed = soft(hem=0.0, rib=(0.048, 0.008), creases=0.0012, crease_size=0.06)
    plain = soft(hem=0.010, creases=0.0008)
    return [
        piece("hoodie", body, ribbed, thickness=0.004, levels=detail),
        piece("pocket", patch(body, kangaroo, 0.0035, 2), plain, thickness=0.003, levels=detail),
        piece("hood", hood, plain, levels=1),
        piece("collar", collar, plain, thickness=0.004),
        *_cords(body, loop),
    ]


def _cords(body: Garment, loop: np.ndarray) -> list[Piece]:
    """Two ends of the hood's cord on the chest."""
    white = fabrics.plain("f2efe8", 0.7, 0.2, 0.4)
    out = []
    for sign in (-1, 1):
        x = sign * np.array([0.030, 0.036, 0.038, 0.040])
        y = loop[0, 1] - 0.012 - np.array([0.0, 0.04, 0.09, 0.135 + 0.01 * sign])
        at = np.linspace(0, 3, 14)
        spots = np.stack([np.interp(at, range(4), k) for k in (x, y)], 1)
        place, normal = on_front(body, spots)
        out.append(cord(place + 0.004 * normal, 0.0024, white))
    return out
