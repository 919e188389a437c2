"""Skin, lips, nails and eyes, painted from where a pixel lies on the resting face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.body.keypoints import VERTEX_POINTS
from svad.body.skeleton import JOINTS, WRISTS, Joint
from svad.face.landmarks import (
    LEFT_BROW,
    LEFT_EYE,
    LOWER_INNER_LIP,
    OUTER_LIPS,
    RIGHT_BROW,
    RIGHT_EYE,
    UPPER_INNER_LIP,
    Ibug,
)
from svad.geometry.surface import vertex_normals
from tools.examples.figure import Figure, subdivide
from tools.examples.noise import cloud, noise, smoothstep
from tools.examples.picture import Piece, Points, Surface
from tools.examples.tones import colour

KEY = np.array([-0.62, 0.60, 0.78]) / np.linalg.norm([-0.62, 0.60, 0.78])  # towards the key light


@dataclass(frozen=True, kw_only=True)
class Tone:
    """Colours of a person, sRGB hex, and amounts 0..1."""

    base: str
    blush: str  # where blood shows: cheeks, nose, ears, knuckles
    lips: str
    palm: str
    iris: str
    iris_rim: str
    blush_amount: float = 0.5
    freckles: float = 0.0
    stubble: float = 0.0
    stubble_colour: str = "2a211c"
    spots: float = 0.0  # uneven pigment of older skin
    brow: str = "1c1512"  # what shows between the hairs of the brows
    lid: str = "000000"  # colour of the upper lid
    lid_amount: float = 0.12
    gloss: float = 0.45
    lip_gloss: float = 0.5
    nails: str = "d8a090"


def outline_distance(
    points: np.ndarray,  # [P, 2]
    polygon: np.ndarray,  # [K, 2]
    closed: bool = True,
) -> np.ndarray:  # [P] metres; negative inside a closed outline
    """Distance to a polygon or a polyline."""
    ends = np.roll(polygon, -1, 0) if closed else polygon[1:]
    starts = polygon if closed else polygon[:-1]
    best = np.full(len(points), np.inf)
    inside = np.zeros(len(points), bool)
    for a, b in zip(starts, ends, strict=True):
        along = b - a
        t = np.clip((points - a) @ along / max(along @ along, 1e-12), 0, 1)
        best = np.minimum(best, np.linalg.norm(points - a - t[:, None] * along, axis=1))
        if closed:
            with np.errstate(divide="ignore", invalid="ignore"):
                x = a[0] + (points[:, 1] - a[1]) * along[0] / along[1]
            inside ^= ((a[1] > points[:, 1]) != (b[1] > points[:, 1])) & (points[:, 0] < x)
    return np.where(inside, -best, best)


def rounded(polygon: np.ndarray, closed: bool = True, steps: int = 6) -> np.ndarray:  # [K', 2]
    """A Catmull-Rom curve through the points."""
    ring = (
        np.concatenate([polygon[-1:], polygon, polygon[:2]])
        if closed
        else np.concatenate([polygon[:1], polygon, polygon[-1:]])
    )
    out = []
    for a, b, c, d in zip(ring[:-3], ring[1:-2], ring[2:-1], ring[3:], strict=True):
        for t in np.arange(steps) / steps:
            out.append(
                0.5
                * (
                    2 * b
                    + (c - a) * t
                    + (2 * a - 5 * b + 4 * c - d) * t**2
                    + (3 * b - a - 3 * c + d) * t**3
                )
            )
    if not closed:
        out.append(polygon[-1])
    return np.array(out)


def bare_body(
    figure: Figure,
    tone: Tone,
    scalp: np.ndarray,  # [V] 0..1 where hair grows
    hair: str,  # colour under the hair
    hidden: np.ndarray,  # [V] bool, under clothes
    levels: int = 1,
) -> list[Piece]:
    """The body without eyeballs, and both eyes are separate (`eyes`)."""
    eyeballs = np.zeros(len(figure.vertices), bool)
    eyeballs[np.concatenate([figure.lists["left_eye"], figure.lists["right_eye"]])] = True
    shown = figure.faces[~eyeballs[figure.faces].any(1) & ~hidden[figure.faces].all(1)]
    hand = figure.weights[:, WRISTS].sum(1) + figure.weights[:, Joint.LEFT_INDEX1 :].sum(1)
    down = -vertex_normals(figure.rest, figure.faces)[:, 1]
    nail = np.zeros(len(figure.vertices))
    tips = figure.rest[figure.lists["keypoints"][len(VERTEX_POINTS) :]]
    for tip in tips:
        back = np.sign(tip[0]) * np.array([1.0, 0, 0])
        spot = tip - 0.006 * back + [0, 0.004, 0]
        near = np.exp(-(((figure.rest - spot) / 0.0055) ** 2).sum(1))
        nail = np.maximum(nail, near * (down < -0.2))
    extra = np.stack([hand, down, scalp, nail], 1)
    vertices, rest = figure.vertices, figure.rest
    faces = shown
    for _ in range(levels):
        vertices, faces, (rest, extra) = subdivide(vertices, faces, (rest, extra))
    return [
        Piece(
            name="skin",
            vertices=vertices,
            faces=faces,
            rest=rest,
            extra=extra,
            material=lambda p: paint(p, figure, tone, hair),
            skin=True,
            wrap=0.08,
        )
    ]


def paint(p: Points, figure: Figure, tone: Tone, hair: str) -> Surface:
    """Skin of the whole body; the face from its landmarks."""
    rest, count = p.rest, len(p.rest)
    hand, down, scalp, nail = p.extra.T
    albedo = np.tile(colour(tone.base), (count, 1))
    mottle = cloud(rest, 0.05, 3, 3)
    albedo *= (1 + 0.05 * mottle + 0.025 * noise(rest, 0.008, 9))[:, None]
    roughness = np.full(count, 0.48)
    gloss = np.full(count, tone.gloss)

    def tint(amount: np.ndarray, text: str) -> None:
        nonlocal albedo
        albedo += np.clip(amount, 0, 1)[:, None] * (colour(text) - albedo)

    warm = tone.blush_amount
    tint(0.30 * warm * hand * (0.6 + 0.4 * mottle), tone.blush)
    tint(hand * smoothstep(-0.1, 0.5, down), tone.palm)
    tint(0.85 * nail, tone.nails)
    for name in ("elbow", "knee"):
        for side in ("left", "right"):
            spot = figure.rest_joints[JOINTS.index(f"{side}_{name}")]
            tint(0.35 * warm * np.exp(-(((rest - spot) / 0.055) ** 2).sum(1)), tone.blush)
    if tone.spots:
        tint(tone.spots * smoothstep(0.30, 0.65, noise(rest, 0.012, 21)) * 0.5, tone.blush)
    marks = figure.rest_landmarks
    face = (rest[:, 1] > marks[Ibug.CHIN, 1] - 0.05) & (np.abs(rest[:, 0]) < 0.13)
    if face.any():
        _paint_face(rest, face, marks, tone, tint, roughness, gloss, mottle)
    albedo += (0.92 * scalp)[:, None] * (colour(hair) * 0.8 - albedo)
    gloss *= 1 - 0.8 * scalp
    bump = 0.00010 * cloud(rest, 0.004, 2, 5)
    return Surface(np.clip(albedo, 0.004, 0.95), roughness, gloss, 0.06, bump)


def _paint_face(rest, face, marks, tone: Tone, tint, roughness, gloss, mottle) -> None:
    """Blush, lids, lips, freckles and stubble; `tint` mixes a colour in."""
    plane = rest[:, :2]
    ear, chin, nose = (marks[i] for i in (Ibug.RIGHT_EAR, Ibug.CHIN, Ibug.NOSE_BASE))
    front = smoothstep(ear[2] - 0.01, ear[2] + 0.03, rest[:, 2]) * face
    warm = tone.blush_amount

    def spot(place: np.ndarray, size: float | tuple[float, float]) -> np.ndarray:
        return front * np.exp(-(((plane - place[:2]) / np.asarray(size)) ** 2).sum(1))

    for outer, corner in (
        (Ibug.RIGHT_EYE_OUTER, Ibug.MOUTH_RIGHT),
        (Ibug.LEFT_EYE_OUTER, Ibug.MOUTH_LEFT),
    ):
        cheek = 0.55 * marks[outer] + 0.45 * marks[corner]
        cheek = cheek + np.array([0.10 * cheek[0], -0.004, 0])
        tint(0.62 * warm * spot(cheek, (0.021, 0.017)) * (0.85 + 0.3 * mottle), tone.blush)
    tint(0.45 * warm * spot(marks[Ibug.NOSE_TIP] - [0, 0.002, 0], 0.012), tone.blush)
    tint(0.25 * warm * spot(chin + [0, 0.012, 0], 0.015), tone.blush)
    ears = face * smoothstep(0.0, 0.012, np.abs(rest[:, 0]) - np.abs(ear[0]) - 0.002)
    ears *= (np.abs(rest[:, 0]) < 0.12) & (rest[:, 1] > chin[1])
    tint(0.5 * warm * ears, tone.blush)
    for arch in (marks[RIGHT_BROW], marks[LEFT_BROW]):
        away = outline_distance(plane, rounded(arch[:, :2], closed=False), closed=False)
        inward = np.abs(plane[:, 0]) / np.abs(arch[:, 0]).max()
        width = 0.0034 * np.clip(1.25 - inward, 0.25, 1)
        tint(0.42 * front * np.exp(-((away / width) ** 2)), tone.brow)
    if tone.freckles:
        zone = spot(marks[Ibug.NOSE_MIDDLE], (0.045, 0.02)) + 0.25 * front
        dots = smoothstep(0.35, 0.6, noise(rest, 0.0019, 31))
        tint(tone.freckles * zone * dots, "8a4a2c")
    if tone.stubble:
        low = smoothstep(nose[1] + 0.002, nose[1] - 0.006, rest[:, 1])
        cheek_line = marks[Ibug.MOUTH_RIGHT, 1] + 0.30 * np.abs(rest[:, 0]) ** 1.0 + 0.002
        beard = low * smoothstep(cheek_line + 0.012, cheek_line - 0.008, rest[:, 1])
        beard *= smoothstep(chin[1] - 0.035, chin[1] - 0.005, rest[:, 1]) * face
        grain = 0.75 + 0.25 * noise(rest, 0.0016, 41)
        tint(tone.stubble * beard * grain, tone.stubble_colour)
    for ring in (RIGHT_EYE, LEFT_EYE):
        eye = rounded(marks[ring, :2])
        away = outline_distance(plane, eye)
        above = smoothstep(-0.001, 0.004, plane[:, 1] - marks[ring, 1].mean())
        lid = front * np.exp(-((np.maximum(away, 0) / 0.006) ** 2))
        tint(tone.lid_amount * 1.6 * lid * above, tone.lid)
        tint(0.30 * warm * lid * (1 - above), tone.blush)
        line = front * np.exp(-((away / 0.0011) ** 2))
        tint(0.85 * line * above, "120b08")
        tint(0.30 * line * (1 - above), "3a1d16")
        gloss[:] += 0.25 * np.exp(-((away / 0.0012) ** 2)) * (1 - above)
    mouth = rounded(marks[OUTER_LIPS, :2])
    away = outline_distance(plane, mouth) - 0.0006
    lips = front * smoothstep(0.0012, -0.0016, away)
    vertical = 1 + 0.10 * noise(rest, (0.0014, 0.012, 0.012), 51)
    tint(0.9 * lips * np.clip(vertical, 0, 1), tone.lips)
    inner = marks[list(UPPER_INNER_LIP), :2]
    low = marks[list(LOWER_INNER_LIP), :2]
    seam = outline_distance(plane, rounded((inner + low) / 2, closed=False), closed=False)
    tint(0.75 * front * np.exp(-((seam / 0.0011) ** 2)), "2c0f0c")
    roughness[:] -= 0.16 * lips
    gloss[:] += tone.lip_gloss * lips
    for nostril in (Ibug.RIGHT_NOSTRIL, Ibug.LEFT_NOSTRIL):
        place = marks[nostril] + np.array([0.12 * -marks[nostril, 0], 0.0005, 0])
        hole = front * np.exp(-(((plane - place[:2]) / [0.0042, 0.0026]) ** 2).sum(1))
        tint(0.5 * hole, "2a100c")


def eyes(figure: Figure, tone: Tone, target: np.ndarray) -> list[Piece]:
    """Both eyeballs, looking at `target` [3]."""
    pieces = []
    for side in ("left", "right"):
        chosen = np.zeros(len(figure.vertices), bool)
        chosen[figure.lists[f"{side}_eye"]] = True
        faces = figure.faces[chosen[figure.faces].all(1)]
        used, faces = np.unique(faces, return_inverse=True)
        ball = figure.vertices[used]
        centre = (ball.max(0) + ball.min(0)) / 2
        radius = float(np.median(np.linalg.norm(ball - centre, axis=1)))
        vertices, faces, _ = subdivide(ball, faces.reshape(-1, 3))
        way = (vertices - centre) / np.linalg.norm(vertices - centre, axis=1, keepdims=True)
        look = (target - centre) / np.linalg.norm(target - centre)
        pieces.append(
            Piece(
                name=f"{side} eye",
                vertices=centre + radius * way,
                faces=faces,
                normals=way,
                material=lambda p, c=centre, n=look: paint_eye(p, c, n, tone),
                shadow=False,
            )
        )
    return pieces


def paint_eye(p: Points, centre: np.ndarray, look: np.ndarray, tone: Tone) -> Surface:
    """White, iris with rays and a dark rim, pupil, and the window of the key light."""
    way = p.world - centre
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    side = np.cross([0, 1.0, 0], look)
    side /= np.linalg.norm(side)
    up = np.cross(look, side)
    x, y = way @ side, way @ up
    off = np.degrees(np.arccos(np.clip(way @ look, -1, 1)))
    turn = np.arctan2(y, x)
    white = np.tile(colour("e4dcd6"), (len(way), 1))
    white += (smoothstep(28, 65, off) * 0.35)[:, None] * (colour("c99a8c") - white)
    iris, rim = colour(tone.iris), colour(tone.iris_rim)
    rays = 0.5 + 0.5 * np.sin(turn * 23 + 3 * np.sin(turn * 7)) * np.sin(turn * 11 + 1)
    t = smoothstep(11, 26, off)[:, None]
    inside = iris * (0.85 + 0.4 * rays[:, None]) * (1.25 - 0.4 * t)
    # the half of the iris opposite the light glows
    inside = inside * (1 + 0.7 * smoothstep(0.1, -0.4, y + 0.3 * x * KEY[0]))[:, None]
    inside += smoothstep(20, 27, off)[:, None] * (rim - inside)
    disc = smoothstep(28.5, 26.5, off)[:, None]
    albedo = white + disc * (inside - white)
    pupil = smoothstep(11.5, 9.5, off)[:, None]
    albedo += pupil * (0.004 - albedo)
    shade = 1 - 0.55 * smoothstep(0.12, 0.52, way @ np.array([0, 1.0, 0]))
    albedo *= shade[:, None]
    # the window of the key light on the cornea, where it looks alive: up and towards the light
    spot = smoothstep(0.105, 0.075, np.hypot(x - 0.17 * np.sign(KEY[0]), y - 0.17))
    spot += 0.35 * smoothstep(0.07, 0.04, np.hypot(x + 0.19 * np.sign(KEY[0]), y + 0.15))
    glow = np.repeat((0.85 * spot)[:, None], 3, 1) * colour("fff8ee")
    return Surface(np.clip(albedo, 0.003, 0.9), 0.35, 0.2, glow=glow, normal=way)
