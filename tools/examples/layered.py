"""Outfits in layers: a long coat, an open jacket, a long skirt; and plain shirts with trousers."""

from __future__ import annotations

import numpy as np

from tools.examples import fabrics
from tools.examples.dressing import Outfit, hidden_skin, hip_middle, shoes
from tools.examples.figure import Figure
from tools.examples.garments import (
    FABRICS,
    Bottom,
    Top,
    leg_slack,
    make_bottom,
    make_skirt,
    make_top,
    neck_held,
    on_top,
    top_slack,
    waist_held,
)
from tools.examples.noise import smoothstep
from tools.examples.picture import Material, Piece
from tools.examples.shoes import Shoe
from tools.examples.tailor import Garment, Tailor
from tools.examples.trims import buttons, neck_band, on_front, patch, piece, shirt_collar

SKIRT_RISE = 0.15  # metres from the hip joints up to the waist of the skirt
COAT_HEM = -0.47  # metres above the hip joints: half way down the shins


def long_coat(figure: Figure, detail: int) -> Outfit:
    """A camel coat with a belt, down to the shins, over a roll-neck and dark trousers; boots."""
    tailor = Tailor(figure)
    boots = shoes(
        tailor,
        Shoe(collar=0.11, rake=0.08, sole=0.024, toe_room=0.006),
        fabrics.leather("2a1c18", "14100e", 0.026),
    )
    trousers = _trousers(tailor, Bottom(hem_radius=0.072, thigh_room=0.010, ease=0.007, rise=0.10))
    knit = _plain_top(tailor, trousers, "wool", sleeve=0.9, hem=-0.02)
    coat = _coat(tailor, trousers, knit)
    roll = neck_band(tailor, knit, height=0.05, lean=0.012)
    wool = fabrics.cloth("a87c4f", grain=0.05, thread=0.07, sheen=0.9, hem=0.02, creases=0.0010)
    ribbed = fabrics.cloth("e5dccb", thread=0.12, sheen=0.6, hem=0.0, creases=0.0008)
    pieces = [
        piece("trousers", trousers, fabrics.cloth("23262e", thread=0.06), levels=detail),
        piece("jumper", knit, ribbed, levels=detail),
        piece("roll neck", roll, ribbed, thickness=0.004),
        piece("coat", coat, wool, thickness=0.004, levels=detail),
        piece("belt", _belt(tailor, coat), wool, thickness=0.004, levels=detail),
        *_front(tailor, coat, wool, detail),
        *boots,
    ]
    return Outfit(pieces, hidden_skin(figure, [trousers, knit, coat]))


def _coat(tailor: Tailor, trousers: Garment, knit: Garment) -> Garment:
    cut = Top(
        ease=0.020, sleeve=1.0, sleeve_room=0.014, cuff_room=0.016, hem=COAT_HEM, hang=1.0,
        neck_side=0.080, neck_front=0.085, neck_back=0.062, vee=0.13,
    )  # fmt: skip
    coat = make_top(tailor, cut)
    return tailor.drape(
        coat,
        FABRICS["wool"],
        on=on_top(tailor, trousers, knit),
        slack=top_slack(tailor, cut, 0.06, 0.015),
        held=neck_held(tailor, coat, cut),
        seconds=1.0,
        ruffle=0.006,
    )


def _belt(tailor: Tailor, coat: Garment) -> Garment:
    waist = tailor.figure.joint("spine1")[1] + 0.03
    return patch(
        coat,
        lambda g: [0.022 - np.abs(g.vertices[:, 1] - waist), 0.5 - g.flat[:, 2]],
        0.010,
        8,
    )


def _front(tailor: Tailor, coat: Garment, look: Material, detail: int) -> list[Piece]:
    """Collar with long points, the overlapping front edge, a row of buttons."""
    hips = hip_middle(tailor.figure)
    edge = patch(
        coat,
        lambda g: [
            0.045 - np.abs(g.vertices[:, 0] - 0.02), g.vertices[:, 2] - hips[2], 0.5 - g.flat[:, 2],
        ],
        0.004,
        1,
    )  # fmt: skip
    front = (np.abs(coat.vertices[:, 0]) < 0.012) & (coat.vertices[:, 2] > hips[2])
    top = coat.vertices[front][:, 1].max()
    heights = np.linspace(hips[1] - 0.05, top - 0.03, 4)
    place, normal = on_front(edge, np.stack([0 * heights + 0.02, heights], 1))
    collar = shirt_collar(tailor, coat, stand=0.030, fall=0.062, point=0.105)
    return [
        piece("front edge", edge, look, thickness=0.003, levels=detail),
        piece("collar", collar, look, thickness=0.004, levels=1),
        buttons(place, normal, fabrics.plain("3c2416", 0.35, 0.8), 0.012),
    ]


def open_jacket(figure: Figure, detail: int) -> Outfit:
    """A red jacket worn open over a grey shirt, black jeans, white trainers."""
    tailor = Tailor(figure)
    trainers = shoes(
        tailor,
        Shoe(collar=0.070, rake=0.50, sole=0.026, toe_room=0.010, leather=0.007),
        fabrics.trainer("e9e7e2", "f6f3ec", "8c8f96", "ffffff", 0.028),
    )
    jeans = _trousers(tailor, Bottom(hem_radius=0.074, thigh_room=0.008, ease=0.006))
    shirt = _plain_top(tailor, jeans, "jersey", sleeve=0.35, hem=-0.03)
    jacket = _jacket(tailor, jeans, shirt)
    red = fabrics.cloth(
        "a3262b", thread=0.05, sheen=0.4, hem=0.0, rib=(0.045, 0.008), creases=0.0014
    )
    grey = fabrics.cloth("9a9da1", thread=0.05, hem=0.018, creases=0.0010)
    black = fabrics.cloth("24252a", grain=0.08, thread=0.08, hem=0.02, creases=0.0010)
    pieces = [
        piece("jeans", jeans, black, levels=detail),
        piece("shirt", shirt, grey, levels=detail),
        piece("shirt collar", neck_band(tailor, shirt, height=0.014, lean=0.003), grey),
        piece("jacket", jacket, red, thickness=0.004, levels=detail),
        *trainers,
    ]
    return Outfit(pieces, hidden_skin(figure, [jeans, shirt, jacket]))


def _jacket(tailor: Tailor, jeans: Garment, shirt: Garment) -> Garment:
    cut = Top(
        ease=0.020, sleeve=0.98, sleeve_room=0.016, cuff_room=0.010, hem=-0.02, hang=0.5,
        neck_side=0.080, neck_front=0.085, neck_back=0.058, opening=0.085, hem_pull=0.92,
    )  # fmt: skip
    jacket = make_top(tailor, cut)
    return tailor.drape(
        jacket,
        FABRICS["cotton"],
        on=on_top(tailor, jeans, shirt),
        slack=top_slack(tailor, cut, 0.08, 0.04),
        held=neck_held(tailor, jacket, cut),
        seconds=1.0,
        ruffle=0.007,
    )


def blouse_and_long_skirt(
    figure: Figure,
    detail: int,
    skirt_colour: str = "2f5a48",
    stripes: str | None = "c9b98a",
    blouse_colour: str = "eeece6",
) -> Outfit:
    """A blouse and a skirt down to the ankles, loafers; sRGB hex colours."""
    tailor = Tailor(figure)
    loafers = shoes(
        tailor,
        Shoe(collar=0.056, rake=0.28, sole=0.018, toe_room=0.006),
        fabrics.leather("6b3a24", "1a1412", 0.019),
    )
    waist = hip_middle(figure)[1] + SKIRT_RISE
    hem = figure.joint("left_ankle")[1] + 0.03
    skirt = _long_skirt(tailor, waist, hem)
    cut = Top(
        ease=0.005, sleeve=0.60, sleeve_room=0.016, cuff_room=0.016, hem=SKIRT_RISE - 0.032,
        hang=0.0, neck_side=0.080, neck_front=0.100, neck_back=0.065,
    )  # fmt: skip
    blouse = make_top(tailor, cut)
    low = blouse.vertices[:, 1].min()
    blouse = tailor.drape(
        blouse,
        FABRICS["cotton"],
        slack=top_slack(tailor, cut, 0.05, 0.0),
        held=np.maximum(
            smoothstep(0.075, 0.04, blouse.vertices[:, 1] - low), neck_held(tailor, blouse, cut)
        ),
        seconds=0.5,
    )
    patterns = (fabrics.stripes(stripes, 0.045, 0.22),) if stripes else ()
    look = fabrics.cloth(skirt_colour, patterns=patterns, sheen=0.4, hem=0.02, creases=0.0006)
    band = patch(
        skirt,
        lambda g: [g.vertices[:, 1] - (waist - 0.030), waist + 0.004 - g.vertices[:, 1]],
        0.014,
        10,
    )
    white = fabrics.cloth(blouse_colour, thread=0.03, sheen=0.3, hem=0.012, creases=0.0010)
    pieces = [
        piece("blouse", blouse, white, levels=detail),
        piece("skirt", skirt, look, levels=detail),
        piece(
            "waistband", band, fabrics.cloth(skirt_colour, hem=0.0), thickness=0.003, levels=detail
        ),
        *loafers,
    ]
    hidden = hidden_skin(figure, [blouse, skirt])
    legs = figure.weight("left_hip", "right_hip", "left_knee", "right_knee", "pelvis") > 0.5
    return Outfit(pieces, hidden | (legs & (figure.vertices[:, 1] > hem + 0.15)))


def _long_skirt(tailor: Tailor, waist: float, hem: float) -> Garment:
    rise = waist - hip_middle(tailor.figure)[1]
    skirt = make_skirt(tailor, rise=rise, hem=hem, flare=0.13)

    def gathers(middle: np.ndarray, way: np.ndarray) -> np.ndarray:
        level = 1 - way[:, 1] ** 2
        return 1.004 + 0.30 * level * smoothstep(waist - 0.01, waist - 0.20, middle[:, 1])

    return tailor.drape(
        skirt, FABRICS["viscose"], slack=gathers, held=waist_held(skirt), seconds=1.6, ruffle=0.012
    )


def shirt_and_trousers(figure: Figure, detail: int, shirt: str, trousers: str) -> Outfit:
    """A plain shirt with short sleeves, trousers, trainers; sRGB hex colours."""
    tailor = Tailor(figure)
    trainers = shoes(
        tailor,
        Shoe(collar=0.068, rake=0.50, sole=0.026, toe_room=0.010, leather=0.007),
        fabrics.trainer("3a3d44", "f2efe8", "b8b2a6", "e9e7e2", 0.028),
    )
    legs = _trousers(tailor, Bottom(hem_radius=0.078, thigh_room=0.010, ease=0.007))
    top = _plain_top(tailor, legs, "jersey", sleeve=0.36, hem=-0.04)
    look = fabrics.cloth(shirt, thread=0.05, hem=0.018, creases=0.0010)
    twill = fabrics.cloth(trousers, grain=0.08, thread=0.08, hem=0.02, creases=0.0010)
    pieces = [
        piece("trousers", legs, twill, levels=detail),
        piece("shirt", top, look, levels=detail),
        piece("shirt collar", neck_band(tailor, top, height=0.014, lean=0.003), look),
        *trainers,
    ]
    return Outfit(pieces, hidden_skin(figure, [legs, top]))


def _trousers(tailor: Tailor, cut: Bottom) -> Garment:
    trousers = make_bottom(tailor, cut)
    return tailor.drape(
        trousers, FABRICS["denim"], slack=leg_slack(tailor, cut), held=waist_held(trousers)
    )


def _plain_top(
    tailor: Tailor, below: Garment, fabric: str, *, sleeve: float, hem: float
) -> Garment:
    """A close shirt or jumper with a round neck."""
    cut = Top(
        ease=0.007, sleeve=sleeve, sleeve_room=0.006, cuff_room=0.010, hem=hem, hang=0.35,
        neck_side=0.068, neck_front=0.072, neck_back=0.056,
    )  # fmt: skip
    top = make_top(tailor, cut)
    return tailor.drape(
        top,
        FABRICS[fabric],
        on=on_top(tailor, below),
        slack=top_slack(tailor, cut, 0.03, 0.03),
        held=neck_held(tailor, top, cut),
        seconds=0.8,
    )
