"""What the example people wear."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from svad.examples import fabrics
from svad.examples.cloth import border
from svad.examples.figure import Figure
from svad.examples.garments import (
    FABRICS,
    Bottom,
    Top,
    leg_slack,
    make_bottom,
    make_skirt,
    make_top,
    on_top,
    top_slack,
    waist_held,
)
from svad.examples.noise import smoothstep
from svad.examples.picture import Material, Piece, vertex_normals
from svad.examples.shoes import Shoe, make_shoe
from svad.examples.tailor import Garment, Tailor
from svad.examples.trims import (
    ball,
    buttons,
    cord,
    hood_field,
    lofted,
    neck_band,
    neck_loop,
    on_front,
    patch,
    piece,
    shirt_collar,
)


@dataclass(frozen=True)
class Outfit:
    """Clothes ready to be drawn."""

    pieces: list[Piece]
    hidden: np.ndarray  # [V] bool, skin that needs not be drawn


def hidden_skin(figure: Figure, garments: list[Garment]) -> np.ndarray:  # [V] bool
    """Skin well inside a garment, away from its edges."""
    out = np.zeros(len(figure.vertices), bool)
    for garment in garments:
        normals = vertex_normals(garment.vertices, garment.faces)
        edge = np.unique(border(garment.faces))
        rim = cKDTree(garment.vertices[edge])
        distance, near = cKDTree(garment.vertices).query(figure.vertices)
        inside = ((figure.vertices - garment.vertices[near]) * normals[near]).sum(1) < 0.004
        past = np.isin(near, edge)
        out |= inside & ~past & (distance < 0.05) & (rim.query(figure.vertices)[0] > 0.03)
    return out


def shoes(
    tailor: Tailor, shoe: Shoe, material: Material, name: str = "shoe"
) -> list[Piece]:
    """Both shoes; trousers draped afterwards fall on them."""
    figure = tailor.figure
    out = []
    for side in ("left", "right"):
        mesh = make_shoe(figure, side, shoe)
        tailor.add(mesh.vertices, mesh.faces)
        flat = np.concatenate([mesh.flat, np.zeros((len(mesh.flat), 1))], 1)
        inner = mesh.vertices - 0.004 * vertex_normals(mesh.vertices, mesh.faces)
        count = len(mesh.vertices)
        out.append(
            Piece(
                name=f"{side} {name}",
                vertices=np.concatenate([mesh.vertices, inner]),
                faces=np.concatenate([mesh.faces, mesh.faces[:, ::-1] + count]),
                extra=np.concatenate([flat, flat]),
                material=material,
            )
        )
    return out


def sunny_dress(figure: Figure, detail: int) -> Outfit:
    """A yellow summer dress with little flowers, a belt and canvas shoes."""
    tailor = Tailor(figure)
    hips = (figure.joint("left_hip") + figure.joint("right_hip")) / 2
    rise = 0.165
    cut = Top(
        ease=0.004, sleeve=0.30, sleeve_room=0.016, cuff_room=0.02, hem=rise - 0.02, hang=0.0,
        neck_side=0.098, neck_front=0.130, neck_back=0.075,
    )  # fmt: skip
    bodice = make_top(tailor, cut)
    bodice = tailor.drape(
        bodice,
        FABRICS["cotton"],
        slack=top_slack(tailor, cut, 0.03, 0.01),
        held=smoothstep(0.03, 0.01, bodice.vertices[:, 1] - bodice.vertices[:, 1].min()),
        seconds=0.5,
    )
    hem = figure.joint("left_knee")[1] - 0.015
    skirt = make_skirt(tailor, rise=rise, hem=hem, flare=0.24)
    waist = hips[1] + rise

    def gathers(middle: np.ndarray, way: np.ndarray) -> np.ndarray:
        level = 1 - way[:, 1] ** 2
        return 1.004 + 0.42 * level * smoothstep(waist - 0.01, waist - 0.16, middle[:, 1])

    skirt = tailor.drape(
        skirt, FABRICS["viscose"], slack=gathers, held=waist_held(skirt), seconds=1.6, ruffle=0.012
    )
    belt = patch(
        skirt,
        lambda g: [g.vertices[:, 1] - (waist - 0.030), waist + 0.004 - g.vertices[:, 1]],
        0.004,
        8,
    )
    cotton = fabrics.cloth(
        "e2a21f",
        patterns=(fabrics.blossoms("f7f0df", "c46a1c", 0.034, 0.0062, "6f7f3a"),),
        sheen=0.35,
        creases=0.0006,
    )
    leather = fabrics.plain("7a4526", 0.45, 0.6)
    place, normal = on_front(belt, np.array([[0.0, waist - 0.013]]))
    gold = fabrics.metal("d8a850")
    pieces = [
        piece("bodice", bodice, cotton, levels=detail),
        piece("skirt", skirt, cotton, levels=detail),
        piece("belt", belt, leather, thickness=0.003, levels=detail),
        buttons(place, normal, gold, 0.017, "buckle"),
        *buttons_down(bodice, waist, gold),
        *shoes(
            tailor,
            Shoe(collar=0.056, rake=0.42, sole=0.018, toe_room=0.006),
            fabrics.trainer("e9e0d0", "f4f1ea", "cdb592", "fffaf0", 0.020),
        ),
        *jewellery(tailor, gold),
    ]
    hidden = hidden_skin(figure, [bodice, skirt])
    legs = figure.weight("left_hip", "right_hip", "pelvis", "spine1") > 0.5
    return Outfit(pieces, hidden | (legs & (figure.vertices[:, 1] > hem + 0.12)))


def buttons_down(bodice: Garment, waist: float, material: Material) -> list[Piece]:
    """Three buttons below the neckline."""
    front = (np.abs(bodice.vertices[:, 0]) < 0.01) & (bodice.vertices[:, 2] > 0)
    top = bodice.vertices[front][:, 1].max()
    heights = np.linspace(top - 0.025, waist + 0.05, 4)
    place, normal = on_front(bodice, np.stack([0 * heights, heights], 1))
    return [buttons(place, normal, material, 0.0055)]


def jewellery(tailor: Tailor, material: Material) -> list[Piece]:
    """Ear rings."""
    figure = tailor.figure
    out = []
    for sign, ear in zip((-1, 1), figure.lists["keypoints"][3:5], strict=True):
        lobe = figure.vertices[ear] + np.array([0.004 * sign, -0.018, 0.008])
        turn = np.linspace(0, 2 * np.pi, 25)
        ring = np.stack([0.15 * np.sin(turn), np.cos(turn), np.sin(turn)], 1) * 0.012
        out.append(cord(lobe + ring - [0, 0.012, 0], 0.0012, material, "ring"))
    return out


def shirt_and_jeans(figure: Figure, detail: int) -> Outfit:
    """A blue checked shirt with rolled sleeves, dark jeans and boots."""
    tailor = Tailor(figure)
    hips = (figure.joint("left_hip") + figure.joint("right_hip")) / 2
    boots = shoes(
        tailor,
        Shoe(collar=0.12, rake=0.05, sole=0.026, toe_room=0.008),
        fabrics.leather("5d351c", "1d1512", 0.028),
    )
    jeans_cut = Bottom(hem_radius=0.080, thigh_room=0.008, ease=0.006, break_slack=0.06)
    jeans = make_bottom(tailor, jeans_cut)
    jeans = tailor.drape(
        jeans, FABRICS["denim"], slack=leg_slack(tailor, jeans_cut), held=waist_held(jeans)
    )
    cut = Top(
        ease=0.010, sleeve=0.58, sleeve_room=0.008, cuff_room=0.020, hem=-0.045, hang=0.4,
        neck_side=0.062, neck_front=0.066, neck_back=0.058, vee=0.055,
    )  # fmt: skip
    shirt = make_top(tailor, cut)
    shirt = tailor.drape(
        shirt,
        FABRICS["cotton"],
        on=on_top(tailor, jeans),
        slack=top_slack(tailor, cut, 0.07, 0.05),
        seconds=1.1,
        ruffle=0.007,
    )
    look = fabrics.cloth(
        "aebccd", patterns=(fabrics.checks("2f4f80", 0.042, "1d3350"),), hem=0.014, sheen=0.3,
        creases=0.0012,
    )  # fmt: skip
    elbow = abs(figure.rest_joints[18][0])
    end = abs(figure.rest_joints[16][0]) + cut.sleeve * (
        abs(figure.rest_joints[20][0]) - abs(figure.rest_joints[16][0])
    )
    cuff = patch(shirt, lambda g: [np.abs(g.rest[:, 0]) - max(end - 0.045, elbow * 0)], 0.006, 6)
    placket = patch(
        shirt,
        lambda g: [
            0.016 - np.abs(g.vertices[:, 0]),
            g.vertices[:, 2] - hips[2],
            1.0 - g.flat[:, 2],
        ],
        0.0022,
        1,
    )
    chest = figure.joint("spine3")[1] + 0.015
    pocket = patch(
        shirt,
        lambda g: [
            0.048 - np.abs(g.vertices[:, 0] - 0.098),
            0.058 - np.abs(g.vertices[:, 1] - chest) - 0.25 * np.abs(g.vertices[:, 0] - 0.098),
            g.vertices[:, 2] - hips[2] - 0.02,
            0.5 - g.flat[:, 2],
        ],
        0.0028,
        2,
    )
    front = (np.abs(shirt.vertices[:, 0]) < 0.012) & (shirt.vertices[:, 2] > hips[2])
    low, high = shirt.vertices[front][:, 1].min(), shirt.vertices[front][:, 1].max()
    heights = np.linspace(low + 0.07, high - 0.03, 6)
    place, normal = on_front(placket, np.stack([0 * heights, heights], 1))
    denim = fabrics.cloth(
        "27324a",
        patterns=(
            fabrics.denim(
                "7b8fae",
                knees=(figure.joint("left_knee")[1] + 0.02,),
                thigh=figure.joint("left_knee")[1] + 0.24,
            ),
        ),
        grain=0.10, thread=0.10, hem=0.02, stitch="b8823c", creases=0.0012, crease_size=0.06,
    )  # fmt: skip
    pieces = [
        piece("jeans", jeans, denim, levels=detail),
        piece("shirt", shirt, look, levels=detail),
        piece("cuffs", cuff, look, thickness=0.006, levels=detail),
        piece("placket", placket, look, levels=detail),
        piece("pocket", pocket, look, levels=detail),
        piece("collar", shirt_collar(tailor, shirt), look, thickness=0.003, levels=1),
        buttons(place, normal, fabrics.plain("f1ede4", 0.3, 0.8)),
        *boots,
        *watch(tailor),
    ]
    return Outfit(pieces, hidden_skin(figure, [jeans, shirt]))


def watch(tailor: Tailor) -> list[Piece]:
    """A wrist watch on the left arm."""
    figure = tailor.figure
    elbow, wrist = figure.joint("left_elbow"), figure.joint("left_wrist")
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    centre = wrist - 0.022 * along
    near = np.abs((figure.vertices - centre) @ along) < 0.008
    near &= np.linalg.norm(figure.vertices - centre, axis=1) < 0.06
    ring = figure.vertices[near]
    middle = ring.mean(0)
    u = np.cross(along, [0, 0, 1.0])
    u /= np.linalg.norm(u)
    v = np.cross(along, u)
    offset = ring - middle
    angle = np.arctan2(offset @ v, offset @ u)
    reach = np.hypot(offset @ u, offset @ v)
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    close = np.abs((angle[None] - turn[:, None] + np.pi) % (2 * np.pi) - np.pi)
    share = np.exp(-((close / 0.35) ** 2))
    radius = (share * reach).sum(1) / share.sum(1) + 0.0035
    way = np.cos(turn)[:, None] * u + np.sin(turn)[:, None] * v
    rows = [
        middle + t * along + (radius - edge)[:, None] * way
        for t, edge in ((-0.010, 0.003), (-0.009, 0), (0.009, 0), (0.010, 0.003))
    ]
    band = lofted(np.stack(rows), closed=True)
    face = way[np.argmax(way @ np.array([0.75, 0.2, 0.65]))]
    spot = middle + float(radius.max()) * face * 0.92
    leather = fabrics.plain("3a2418", 0.5, 0.5)
    return [
        Piece(name="strap", vertices=band.vertices, faces=band.faces, material=leather),
        buttons(spot[None], face[None], fabrics.metal("c9cdd2"), 0.017, "watch"),
    ]


def cardigan_and_trousers(figure: Figure, detail: int) -> Outfit:
    """A burgundy cardigan over a cream blouse, navy trousers, loafers and glasses."""
    tailor = Tailor(figure)
    hips = (figure.joint("left_hip") + figure.joint("right_hip")) / 2
    loafers = shoes(
        tailor,
        Shoe(collar=0.058, rake=0.25, sole=0.020, toe_room=0.006),
        fabrics.leather("4a2a22", "1a1412", 0.021),
    )
    legs = Bottom(hem_radius=0.092, thigh_room=0.016, ease=0.010, rise=0.11, break_slack=0.06)
    trousers = make_bottom(tailor, legs)
    trousers = tailor.drape(
        trousers, FABRICS["cotton"], slack=leg_slack(tailor, legs), held=waist_held(trousers)
    )
    under = Top(
        ease=0.008, sleeve=0.25, hem=0.0, hang=0.35, neck_side=0.082, neck_front=0.095,
        neck_back=0.07,
    )  # fmt: skip
    blouse = make_top(tailor, under)
    blouse = tailor.drape(
        blouse, FABRICS["viscose"], on=on_top(tailor, trousers),
        slack=top_slack(tailor, under, 0.03, 0.03), seconds=0.8,
    )  # fmt: skip
    over = Top(
        ease=0.020, sleeve=0.97, sleeve_room=0.016, cuff_room=0.012, hem=-0.055, hang=0.4,
        neck_side=0.088, neck_front=0.10, neck_back=0.065, opening=0.055, hem_pull=0.96,
    )  # fmt: skip
    knit = make_top(tailor, over)
    knit = tailor.drape(
        knit, FABRICS["wool"], on=on_top(tailor, trousers, blouse),
        slack=top_slack(tailor, over, 0.08, 0.03), seconds=1.0, ruffle=0.006,
    )  # fmt: skip
    wool = fabrics.cloth(
        "7c2537", patterns=(), grain=0.08, thread=0.16, sheen=0.9, hem=0.0, rib=(0.026, 0.0075),
        creases=0.0014, crease_size=0.07,
    )  # fmt: skip
    satin = fabrics.cloth("efe4d2", thread=0.02, sheen=0.3, roughness=0.6, hem=0.01)
    twill = fabrics.cloth("2b3346", thread=0.08, sheen=0.35, hem=0.03, creases=0.0010)
    side = knit.vertices[(knit.vertices[:, 0] > 0.01) & (knit.vertices[:, 2] > hips[2])]
    heights = np.linspace(side[:, 1].min() + 0.06, figure.joint("spine3")[1] + 0.03, 5)
    spots = []
    for height in heights:
        row = side[np.argsort(np.abs(side[:, 1] - height))[:160]]
        spots.append([row[:, 0].min() + 0.013, height])
    place, normal = on_front(knit, np.array(spots))
    pieces = [
        piece("trousers", trousers, twill, levels=detail),
        piece("blouse", blouse, satin, levels=detail),
        piece("cardigan", knit, wool, thickness=0.005, levels=detail),
        buttons(place, normal, fabrics.plain("3a1a16", 0.35, 0.8), 0.0085),
        *loafers,
        *glasses(figure, fabrics.plain("4a2b1c", 0.3, 0.9)),
        *necklace(tailor, blouse, fabrics.plain("e9e1d6", 0.2, 1.2)),
    ]
    return Outfit(pieces, hidden_skin(figure, [trousers, blouse, knit]))


def necklace(tailor: Tailor, garment: Garment, material: Material) -> list[Piece]:
    """A row of pearls just above the neck opening."""
    loop = neck_loop(tailor, garment, 56)
    neck = tailor.figure.joint("neck")
    inward = neck - loop
    inward[:, 1] = 0
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    skin = cKDTree(tailor.points)
    out = []
    for spot in loop + 0.010 * inward + [0, 0.012, 0]:
        distance, near = skin.query(spot)
        normal = tailor.normals[near]
        depth = (spot - tailor.points[near]) @ normal
        out.append(ball(spot + (0.003 - depth) * normal, 0.0042, material))
    return out


def glasses(figure: Figure, material: Material) -> list[Piece]:
    """Round rims, a bridge and temples."""
    marks = figure.landmarks
    right, left = marks[36:42].mean(0), marks[42:48].mean(0)
    across = (left - right) / np.linalg.norm(left - right)
    nose = marks[28]
    up = marks[27] - marks[30]
    up -= (up @ across) * across
    up /= np.linalg.norm(up)
    ahead = np.cross(across, up)
    forward = float((nose - (left + right) / 2) @ ahead) + 0.002
    turn = np.linspace(0, 2 * np.pi, 41)
    out = []
    for sign, eye, ear in zip(
        (-1, 1), (right, left), figure.lists["keypoints"][3:5], strict=True
    ):
        centre = eye + forward * ahead - 0.004 * up + sign * 0.003 * across
        ring = centre + 0.0225 * np.cos(turn)[:, None] * across
        ring = ring + 0.0195 * np.sin(turn)[:, None] * up
        out.append(cord(ring, 0.0011, material, "rim"))
        hinge = centre + sign * 0.0225 * across + 0.006 * up
        end = figure.vertices[ear] + 0.012 * up + sign * 0.004 * across
        bow = hinge + sign * 0.007 * across - 0.008 * ahead
        out.append(cord(np.stack([hinge, bow, (bow + end) / 2, end]), 0.0011, material, "temple"))
    middle = (left + right) / 2 + (forward + 0.003) * ahead
    span = np.linspace(-1, 1, 9)
    bridge = middle + np.outer(span * 0.0105, across) + np.outer(0.003 * (1 - span**2), up)
    out.append(cord(bridge, 0.0011, material, "bridge"))
    return out


def hoodie_and_shorts(figure: Figure, detail: int) -> Outfit:
    """A sage hoodie, sand cargo shorts, white socks and trainers."""
    tailor = Tailor(figure)
    hips = (figure.joint("left_hip") + figure.joint("right_hip")) / 2
    legs = Bottom(length=0.46, hem_radius=0.105, thigh_room=0.030, ease=0.012, break_slack=0.0)
    shorts = make_bottom(tailor, legs)
    shorts = tailor.drape(
        shorts, FABRICS["denim"], slack=leg_slack(tailor, replace(legs, break_slack=0.04)),
        held=waist_held(shorts), ruffle=0.008,
    )  # fmt: skip
    cut = Top(
        ease=0.016, sleeve=0.97, sleeve_room=0.014, cuff_room=0.010, hem=0.03, hang=0.5,
        neck_side=0.078, neck_front=0.082, neck_back=0.066, hem_pull=0.84,
    )  # fmt: skip
    body = make_top(tailor, cut)
    body = tailor.drape(
        body, FABRICS["wool"], on=on_top(tailor, shorts),
        slack=top_slack(tailor, cut, 0.11, 0.09), seconds=1.0, ruffle=0.008,
    )  # fmt: skip
    loop = neck_loop(tailor, body)
    hood = tailor.cut(
        hood_field(tailor, loop),
        lambda points, rest, arm, leg: [np.ones(len(points))],
        lambda points, rest, arm, leg: np.concatenate([points[:, :2], 0 * points[:, :1]], 1),
    )
    centre = hips[1] + 0.115

    def kangaroo(g: Garment) -> list[np.ndarray]:
        x, y = np.abs(g.vertices[:, 0]), g.vertices[:, 1] - centre
        return [
            0.085 - np.abs(y),
            0.135 - x - 0.55 * np.maximum(y + 0.02, 0),
            g.vertices[:, 2] - hips[2] - 0.03,
            0.5 - g.flat[:, 2],
        ]

    pocket = patch(body, kangaroo, 0.0035, 2)
    fleece = fabrics.cloth(
        "758a76", grain=0.07, thread=0.06, sheen=0.8, hem=0.0, rib=(0.048, 0.008),
        creases=0.0012, crease_size=0.06,
    )  # fmt: skip
    plain_fleece = fabrics.cloth(
        "758a76", grain=0.07, thread=0.06, sheen=0.8, hem=0.010, creases=0.0008
    )
    sand = fabrics.cloth("b79f78", thread=0.07, hem=0.022, creases=0.0014, sheen=0.3)
    knee = figure.joint("left_knee")[1]
    cargo = patch(
        shorts,
        lambda g: [
            0.062 - np.abs(g.flat[:, 0] - 0.115),
            0.068 - np.abs(g.vertices[:, 1] - knee - 0.13),
            0.1 - np.abs(g.vertices[:, 1] - knee - 0.13),
        ],
        0.006,
        2,
    )
    flap = patch(
        shorts,
        lambda g: [
            0.064 - np.abs(g.flat[:, 0] - 0.115),
            0.020 - np.abs(g.vertices[:, 1] - knee - 0.185),
        ],
        0.010,
        2,
    )
    white = fabrics.plain("f2efe8", 0.7, 0.2, 0.4)
    cords = []
    for sign in (-1, 1):
        x = sign * np.array([0.030, 0.036, 0.038, 0.040])
        start = loop[:, 1][0] - 0.012
        y = start - np.array([0.0, 0.04, 0.09, 0.135 + 0.01 * sign])
        spots = np.stack([np.interp(np.linspace(0, 3, 14), range(4), k) for k in (x, y)], 1)
        place, normal = on_front(body, spots)
        cords.append(cord(place + 0.004 * normal, 0.0024, white))
    pieces = [
        piece("shorts", shorts, sand, levels=detail),
        piece("cargo", cargo, sand, thickness=0.004, levels=detail),
        piece("flap", flap, sand, thickness=0.003, levels=detail),
        piece("hoodie", body, fleece, thickness=0.004, levels=detail),
        piece("pocket", pocket, plain_fleece, thickness=0.003, levels=detail),
        piece("hood", hood, plain_fleece, levels=1),
        piece(
            "collar", neck_band(tailor, body, height=0.030, lean=0.004), plain_fleece,
            thickness=0.004,
        ),
        *cords,
        *socks(tailor, 0.15),
        *shoes(
            tailor,
            Shoe(collar=0.072, rake=0.50, sole=0.028, toe_room=0.012, leather=0.008),
            fabrics.trainer("f0eee9", "fbfaf6", "c8502e", "ffffff", 0.030),
        ),
    ]  # fmt: skip
    return Outfit(pieces, hidden_skin(figure, [shorts, body]))


def socks(tailor: Tailor, height: float) -> list[Piece]:
    """Ribbed white socks up to a height above the floor."""
    figure = tailor.figure
    low = np.flatnonzero(figure.vertices[:, 1] < height + 0.06)
    faces = figure.faces[np.isin(figure.faces, low).all(1)]
    used, faces = np.unique(faces, return_inverse=True)
    normals = vertex_normals(figure.vertices, figure.faces)[used]
    points = figure.vertices[used]
    side = np.where(points[:, 0] > 0, 1.0, -1.0)
    ankle = np.where(
        (side > 0)[:, None], figure.joint("left_ankle"), figure.joint("right_ankle")
    )
    turn = np.arctan2(points[:, 0] - ankle[:, 0], points[:, 2] - ankle[:, 2])
    shell = Garment(
        vertices=points + 0.0025 * normals,
        faces=faces.reshape(-1, 3),
        flat=np.stack([turn * 0.04, points[:, 1], side], 1),
        rest=figure.rest[used],
    )
    sock = patch(shell, lambda g: [height - g.vertices[:, 1]], 0.0, 1)
    look = fabrics.cloth("f0eee8", hem=0.0, rib=(0.05, 0.006), creases=0.0003, sheen=0.6)
    return [piece("socks", sock, look, thickness=0.003)]
