"""Outfits of woven cloth: a summer dress, a shirt with jeans."""

from __future__ import annotations

import numpy as np

from svad.body.skeleton import Joint
from tools.examples import fabrics
from tools.examples.accessories import buttons_down, jewellery, watch
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
from tools.examples.picture import Piece
from tools.examples.shoes import Shoe
from tools.examples.tailor import Garment, Tailor
from tools.examples.trims import buttons, on_front, patch, piece, shirt_collar

DRESS_RISE = 0.165  # metres from the hip joints up to the waist of the dress


def sunny_dress(figure: Figure, detail: int) -> Outfit:
    """A yellow summer dress with little flowers, a belt and canvas shoes."""
    tailor = Tailor(figure)
    canvas = shoes(
        tailor,
        Shoe(collar=0.056, rake=0.42, sole=0.018, toe_room=0.006),
        fabrics.trainer("d3c6b0", "ece6da", "b89b74", "f2ead9", 0.020),
    )
    waist = hip_middle(figure)[1] + DRESS_RISE
    hem = figure.joint("left_knee")[1] - 0.015
    bodice, skirt = _bodice(tailor), _skirt(tailor, waist, hem)
    belt = patch(
        skirt,
        lambda g: [g.vertices[:, 1] - (waist - 0.030), waist + 0.004 - g.vertices[:, 1]],
        0.013,
        10,
    )
    cotton = fabrics.cloth(
        "e2a21f",
        patterns=(fabrics.blossoms("f7f0df", "c46a1c", 0.034, 0.0062, "6f7f3a"),),
        sheen=0.35,
        creases=0.0006,
    )
    place, normal = on_front(belt, np.array([[0.0, waist - 0.013]]))
    gold = fabrics.metal("d8a850")
    pieces = [
        piece("bodice", bodice, cotton, levels=detail),
        piece("skirt", skirt, cotton, levels=detail),
        piece("belt", belt, fabrics.plain("7a4526", 0.45, 0.6), thickness=0.003, levels=detail),
        buttons(place, normal, gold, 0.017, "buckle"),
        *buttons_down(bodice, waist, gold),
        *canvas,
        *jewellery(tailor, gold),
    ]
    hidden = hidden_skin(figure, [bodice, skirt])
    legs = figure.weight("left_hip", "right_hip", "pelvis", "spine1") > 0.5
    return Outfit(pieces, hidden | (legs & (figure.vertices[:, 1] > hem + 0.12)))


def _bodice(tailor: Tailor) -> Garment:
    cut = Top(
        ease=0.004, sleeve=0.30, sleeve_room=0.016, cuff_room=0.02, hem=DRESS_RISE - 0.035,
        hang=0.0, neck_side=0.098, neck_front=0.130, neck_back=0.075,
    )  # fmt: skip
    bodice = make_top(tailor, cut)
    height = bodice.vertices[:, 1]
    return tailor.drape(
        bodice,
        FABRICS["cotton"],
        slack=top_slack(tailor, cut, 0.03, 0.0),
        held=np.maximum(
            smoothstep(0.07, 0.035, height - height.min()), neck_held(tailor, bodice, cut)
        ),
        seconds=0.5,
    )


def _skirt(tailor: Tailor, waist: float, hem: float) -> Garment:
    skirt = make_skirt(tailor, rise=DRESS_RISE, hem=hem, flare=0.24)

    def gathers(middle: np.ndarray, way: np.ndarray) -> np.ndarray:
        level = 1 - way[:, 1] ** 2
        return 1.004 + 0.42 * level * smoothstep(waist - 0.01, waist - 0.16, middle[:, 1])

    return tailor.drape(
        skirt, FABRICS["viscose"], slack=gathers, held=waist_held(skirt), seconds=1.6, ruffle=0.012
    )


def shirt_and_jeans(figure: Figure, detail: int) -> Outfit:
    """A blue checked shirt with rolled sleeves, dark jeans and boots."""
    tailor = Tailor(figure)
    boots = shoes(
        tailor,
        Shoe(collar=0.12, rake=0.05, sole=0.026, toe_room=0.008),
        fabrics.leather("5d351c", "1d1512", 0.028),
    )
    jeans = _jeans(tailor)
    shirt, look = _shirt(tailor, jeans), _shirt_cloth()
    knee = figure.joint("left_knee")[1]
    denim = fabrics.cloth(
        "27324a", patterns=(fabrics.denim("7b8fae", knees=(knee + 0.02,), thigh=knee + 0.24),),
        grain=0.10, thread=0.10, hem=0.02, stitch="b8823c", creases=0.0012, crease_size=0.06,
    )  # fmt: skip
    pieces = [
        piece("jeans", jeans, denim, levels=detail),
        piece("shirt", shirt, look, levels=detail),
        *_shirt_trims(tailor, shirt, look, detail),
        *boots,
        *watch(tailor),
    ]
    return Outfit(pieces, hidden_skin(figure, [jeans, shirt]))


SHIRT = Top(
    ease=0.010, sleeve=0.58, sleeve_room=0.008, cuff_room=0.020, hem=-0.045, hang=0.4,
    neck_side=0.062, neck_front=0.066, neck_back=0.058, vee=0.055,
)  # fmt: skip


def _jeans(tailor: Tailor) -> Garment:
    cut = Bottom(hem_radius=0.080, thigh_room=0.008, ease=0.006, break_slack=0.06)
    jeans = make_bottom(tailor, cut)
    return tailor.drape(
        jeans, FABRICS["denim"], slack=leg_slack(tailor, cut), held=waist_held(jeans)
    )


def _shirt(tailor: Tailor, jeans: Garment) -> Garment:
    shirt = make_top(tailor, SHIRT)
    return tailor.drape(
        shirt,
        FABRICS["cotton"],
        on=on_top(tailor, jeans),
        slack=top_slack(tailor, SHIRT, 0.07, 0.05),
        held=neck_held(tailor, shirt, SHIRT),
        seconds=1.1,
        ruffle=0.007,
    )


def _shirt_cloth() -> fabrics.Material:
    return fabrics.cloth(
        "aebccd", patterns=(fabrics.checks("2f4f80", 0.042, "1d3350"),), hem=0.014, sheen=0.3,
        creases=0.0012,
    )  # fmt: skip


def _shirt_trims(
    tailor: Tailor, shirt: Garment, look: fabrics.Material, detail: int
) -> list[Piece]:
    """Rolled cuffs, button band, breast pocket, collar, buttons."""
    figure = tailor.figure
    back = hip_middle(figure)[2]
    shoulder, wrist = figure.rest_joints[[Joint.LEFT_SHOULDER, Joint.LEFT_WRIST], 0]
    roll = shoulder + SHIRT.sleeve * (wrist - shoulder) - 0.045
    cuff = patch(shirt, lambda g: [np.abs(g.rest[:, 0]) - roll], 0.006, 6)
    placket = patch(
        shirt,
        lambda g: [
            0.016 - np.abs(g.vertices[:, 0]),
            g.vertices[:, 2] - back,
            1.0 - g.flat[:, 2],
        ],
        0.0022,
        1,
    )
    chest = figure.joint("spine3")[1] + 0.015

    def on_chest(g: Garment) -> list[np.ndarray]:
        x, y = np.abs(g.vertices[:, 0] - 0.098), np.abs(g.vertices[:, 1] - chest)
        return [0.048 - x, 0.058 - y - 0.25 * x, g.vertices[:, 2] - back - 0.02, 0.5 - g.flat[:, 2]]

    pocket = patch(shirt, on_chest, 0.0028, 2)
    front = (np.abs(shirt.vertices[:, 0]) < 0.012) & (shirt.vertices[:, 2] > back)
    low, high = shirt.vertices[front][:, 1].min(), shirt.vertices[front][:, 1].max()
    heights = np.linspace(low + 0.07, high - 0.03, 6)
    place, normal = on_front(placket, np.stack([0 * heights, heights], 1))
    return [
        piece("cuffs", cuff, look, thickness=0.006, levels=detail),
        piece("placket", placket, look, levels=detail),
        piece("pocket", pocket, look, levels=detail),
        piece("collar", shirt_collar(tailor, shirt), look, thickness=0.003, levels=1),
        buttons(place, normal, fabrics.plain("f1ede4", 0.3, 0.8)),
    ]
