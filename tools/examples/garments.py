"""Patterns of clothes: tops, trousers, skirts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.body.skeleton import Joint, of_side
from tools.examples.cloth import Fabric
from tools.examples.noise import smoothstep
from tools.examples.tailor import Garment, Tailor
from tools.examples.volume import BAND, Grid, closed, inward, merged, tube


@dataclass(frozen=True, kw_only=True)
class Top:
    """Cut of a garment for the upper body; lengths in metres."""

    ease: float = 0.012  # room between skin and cloth
    sleeve: float = 0.45  # 0 none, 1 at the wrist
    sleeve_room: float = 0.012  # more room in the sleeve
    cuff_room: float = 0.012
    hem: float = -0.03  # height of the hem above the hip joints
    hang: float = 0.5  # 0 follows the waist, 1 falls straight from the chest
    neck_side: float = 0.075
    neck_front: float = 0.085
    neck_back: float = 0.06
    vee: float = 0.0  # depth of a V neck below the ring
    opening: float = 0.0  # half width of an open front at the hem
    hem_pull: float = 1.0  # rest width of the hem over its start width


@dataclass(frozen=True, kw_only=True)
class Bottom:
    """Cut of trousers or shorts."""

    ease: float = 0.008
    length: float = 1.0  # 0 at the hip, 0.5 at the knee, 1 at the ankle
    thigh_room: float = 0.012
    hem_radius: float = 0.085
    rise: float = 0.085  # height of the waist above the hip joints
    break_slack: float = 0.05  # surplus length that makes folds above the shoe


def neck_ring(tailor: Tailor, points: np.ndarray, cut: Top) -> np.ndarray:  # [P]
    """Positive outside the neck opening, in metres."""
    figure = tailor.figure
    neck, head = figure.joint("neck"), figure.joint("head")
    axis = (head - neck) / np.linalg.norm(head - neck)
    side = np.cross([0, 1.0, 0], [0, 0, 1.0])
    side = side - (side @ axis) * axis
    front = np.cross(side, axis)
    offset = points - neck - 0.01 * front
    x, z, up = offset @ side, offset @ front, offset @ axis
    reach = np.where(z > 0, cut.neck_front, cut.neck_back)
    ring = (np.sqrt((x / cut.neck_side) ** 2 + (z / reach) ** 2 + 1e-9) - 1) * cut.neck_side
    # a ring, not a tunnel: it ends below the collar bones and the nape
    ring += 5 * np.maximum(-up - np.where(z > 0, 0.09, 0.03), 0)
    if cut.vee:
        tip = np.maximum(-up - 0.02, 0)
        vee = np.abs(x) - 0.9 * cut.neck_side * np.clip(1 - tip / cut.vee, 0, 1)
        ring = np.where(z > 0.02, np.minimum(ring, np.where(tip < cut.vee, vee, 1)), ring)
    return np.minimum(ring, 0.03 - up + 0.5 * np.maximum(ring, 0))


def trunk_field(tailor: Tailor, cut: Top) -> np.ndarray:  # [X, Y, Z]
    """Trunk with room, its creases bridged, falling more or less straight from the chest."""
    trunk = closed(tailor.trunk, 0.035).values - cut.ease
    y = tailor.places()[0, :, 0, 1]
    chest = tailor.figure.joint("spine3")[1]
    hung = trunk.copy()
    reach = max(1, int(0.42 / tailor.body.step))
    for row in np.flatnonzero(y < chest)[::-1]:
        lower = hung[:, row + 1] + tailor.body.step / reach * 0.012 * reach
        hung[:, row] = np.minimum(trunk[:, row], lower)
    return (1 - cut.hang) * trunk + cut.hang * hung


def top_field(tailor: Tailor, cut: Top) -> np.ndarray:  # [X, Y, Z]
    """Trunk and sleeves together."""
    field = trunk_field(tailor, cut)
    for side in ("left", "right"):
        names = tuple(f"{side}_{n}" for n in ("shoulder", "elbow", "wrist"))
        upper = tailor.girth(names[0], names[1], 0.5) + cut.ease + cut.sleeve_room
        middle = tailor.girth(names[1], names[2], 0.15) + cut.ease + cut.sleeve_room
        lower = tailor.girth(names[1], names[2], 0.85) + cut.cuff_room
        sleeve = tailor.limb(names, (upper * 0.84, middle, lower), beyond=0.03)
        inner = tailor.figure.joint(names[0])[0]
        beside = (tailor.places()[..., 0] - inner) * np.sign(inner)  # metres outside the shoulder
        arm = np.maximum(tailor.body.values - cut.ease, -0.01 - beside)
        field = merged(field, merged(sleeve, arm, 0.015), 0.03)
    return field


def neck_held(tailor: Tailor, garment: Garment, cut: Top) -> np.ndarray:  # [V]
    """Keeps the cloth at the neck opening from sliding down."""
    return 0.25 * smoothstep(0.03, 0.005, neck_ring(tailor, garment.vertices, cut))


def make_top(tailor: Tailor, cut: Top) -> Garment:
    """Cuts a top; it still has to be draped."""
    figure = tailor.figure
    hips = (figure.joint("left_hip") + figure.joint("right_hip")) / 2
    shoulder, wrist = (
        figure.rest_joints[i] for i in of_side("left", "shoulder", "wrist")
    )  # left; the zero pose is symmetric enough
    elbow_to_cut = abs(shoulder[0]) + cut.sleeve * (abs(wrist[0]) - abs(shoulder[0]))

    def keeps(points, rest, arm, leg):
        out = [points[:, 1] - hips[1] - cut.hem, neck_ring(tailor, points, cut)]
        on_arm = np.where(arm > 0.3, elbow_to_cut - np.abs(rest[:, 0]), 0.05)
        out.append(on_arm)
        if cut.opening:
            chest = figure.joint("spine3")[1]
            t = np.clip((chest + 0.12 - points[:, 1]) / 0.5, 0, 1)
            width = 0.012 + cut.opening * t
            out.append(np.where(points[:, 2] > hips[2], np.abs(points[:, 0]) - width, 0.05))
        return out

    return tailor.cut(top_field(tailor, cut), keeps, lambda *a: top_chart(tailor, *a))


def top_chart(tailor: Tailor, points, rest, arm, leg) -> np.ndarray:  # [V, 3]
    """Trunk: round and up. Sleeves: round and along."""
    figure = tailor.figure
    chest = figure.rest_joints[Joint.SPINE3]
    turn = np.arctan2(rest[:, 0] - chest[0], rest[:, 2] - chest[2])
    on_trunk = np.stack([turn * 0.16, rest[:, 1]], 1)
    shoulder = figure.rest_joints[Joint.LEFT_SHOULDER]
    spin = np.arctan2(rest[:, 1] - shoulder[1], rest[:, 2] - shoulder[2])
    on_arm = np.stack([spin * 0.055, np.abs(rest[:, 0])], 1)
    sleeve = np.abs(rest[:, 0]) > abs(shoulder[0]) + 0.005
    flat = np.where(sleeve[:, None], on_arm, on_trunk)
    return np.concatenate([flat, sleeve[:, None]], 1)


def top_slack(tailor: Tailor, cut: Top, limbs: float = 0.05, trunk: float = 0.02):
    """Surplus cloth: along the sleeves near the elbow, along the trunk near the waist."""
    figure = tailor.figure
    waist = figure.joint("spine1")[1] + 0.03
    hips = (figure.joint("left_hip")[1] + figure.joint("right_hip")[1]) / 2

    def slack(middle: np.ndarray, way: np.ndarray) -> np.ndarray:
        out = np.full(len(middle), 1.0 + 0.4 * trunk)
        upright = way[:, 1] ** 2
        out += trunk * upright * np.exp(-(((middle[:, 1] - waist) / 0.12) ** 2))
        for side in ("left", "right"):
            a, b, c = (figure.joint(f"{side}_{n}") for n in ("shoulder", "elbow", "wrist"))
            for start, end, far in ((a, b, 0), (b, c, 1)):
                along = (end - start) / np.linalg.norm(end - start)
                reach = np.linalg.norm(end - start)
                t = (middle - start) @ along / reach
                apart = np.linalg.norm(middle - start - (t * reach)[:, None] * along, axis=1)
                near = (apart < 0.11) & (t > 0.1) & (t < 1.15)
                bend = np.exp(-(((t - (1 - far)) / 0.35) ** 2)) + 0.8 * far * smoothstep(
                    0.5, 0.9, t
                )
                out += np.where(near, limbs * bend * ((way @ along) ** 2), 0)
                if far:
                    cuff = near & (t > 0.85 + cut.sleeve - 0.97)
                    out *= np.where(cuff, 1 + (cut.hem_pull - 1) * (1 - (way @ along) ** 2), 1)
        hem = np.exp(-(((middle[:, 1] - hips - cut.hem) / 0.02) ** 2))
        return out * (1 + (cut.hem_pull - 1) * hem * (1 - upright))

    return slack


def make_bottom(tailor: Tailor, cut: Bottom) -> Garment:
    """Cuts trousers; they still have to be draped."""
    figure = tailor.figure
    field = closed(tailor.trunk, 0.03).values - cut.ease
    hips = (figure.joint("left_hip") + figure.joint("right_hip")) / 2
    for side in ("left", "right"):
        names = tuple(f"{side}_{n}" for n in ("hip", "knee", "ankle"))
        thigh = tailor.girth(names[0], names[1], 0.45)
        knee = tailor.girth(names[0], names[1], 0.9)
        path = np.stack([figure.joint(n) for n in names])
        path[2] = path[2] + np.array([0, -0.09, 0.012])
        start = path[0] + 0.3 * (path[1] - path[0])
        radii = (
            thigh + cut.thigh_room,
            max(knee + cut.ease, (knee + cut.ease + cut.hem_radius) / 2),
            cut.hem_radius,
        )
        leg = tube(tailor.places(), np.stack([start, path[1], path[2]]), np.array(radii))
        x = tailor.places()[..., 0]
        # the two legs stay apart below the crotch
        own = x * np.sign(path[1][0])
        field = merged(field, np.maximum(leg, -own - 0.004), 0.02)
    ankles = (figure.joint("left_ankle") + figure.joint("right_ankle")) / 2
    if cut.length <= 0.5:
        knees = (figure.joint("left_knee") + figure.joint("right_knee")) / 2
        bottom = hips[1] + 2 * cut.length * (knees[1] - hips[1])
    else:
        bottom = hips[1] + cut.length * (ankles[1] + 0.012 - hips[1])

    def keeps(points, rest, arm, leg):
        return [points[:, 1] - bottom, hips[1] + cut.rise - points[:, 1], 0.4 - arm]

    return tailor.cut(field, keeps, lambda *a: leg_chart(tailor, *a))


def leg_chart(tailor: Tailor, points, rest, arm, leg) -> np.ndarray:  # [V, 3]
    """Round the leg and up; panel 1 for the left leg, -1 for the right, 0 above the crotch."""
    figure = tailor.figure
    side = np.where(points[:, 0] >= 0, 1.0, -1.0)
    knee = np.where((side > 0)[:, None], figure.joint("left_knee"), figure.joint("right_knee"))
    hip = np.where((side > 0)[:, None], figure.joint("left_hip"), figure.joint("right_hip"))
    t = (points[:, 1] - knee[:, 1]) / (hip[:, 1] - knee[:, 1])
    centre = knee + t[:, None] * (hip - knee)
    turn = np.arctan2((points[:, 0] - centre[:, 0]) * side, points[:, 2] - centre[:, 2])
    return np.stack([turn * 0.08, points[:, 1], side], 1)


def leg_slack(tailor: Tailor, cut: Bottom):
    """Surplus length at the knees and above the shoes."""
    figure = tailor.figure
    knee = (figure.joint("left_knee")[1] + figure.joint("right_knee")[1]) / 2
    ankle = (figure.joint("left_ankle")[1] + figure.joint("right_ankle")[1]) / 2

    def slack(middle: np.ndarray, way: np.ndarray) -> np.ndarray:
        upright = way[:, 1] ** 2
        bend = 0.6 * np.exp(-(((middle[:, 1] - knee) / 0.09) ** 2))
        bend += smoothstep(ankle + 0.17, ankle, middle[:, 1])
        return 1.006 + cut.break_slack * bend * upright

    return slack


def waist_held(garment: Garment, height: float = 0.02) -> np.ndarray:  # [V]
    """Holds the highest centimetres where they were cut, as a waistband does."""
    top = garment.vertices[:, 1].max()
    return smoothstep(top - height - 0.012, top - height, garment.vertices[:, 1])


def make_skirt(
    tailor: Tailor,
    *,
    rise: float,  # metres above the hip joints where it begins
    hem: float,  # metres above the floor
    flare: float,  # metres the radius grows per metre of length
    ease: float = 0.006,
) -> Garment:
    """A skirt from the waist down, open below."""
    figure = tailor.figure
    trunk = closed(tailor.trunk, 0.05).values - ease
    places = tailor.places()
    hips = (figure.joint("left_hip") + figure.joint("right_hip")) / 2
    waist = hips[1] + rise
    y = places[0, :, 0, 1]
    far = inward(trunk > 0, tailor.body.step)
    trunk = np.where(trunk < 0.8 * BAND, trunk, np.maximum(trunk, far))  # beyond the band
    hung = trunk.copy()
    for row in np.flatnonzero(y < waist)[::-1]:
        hung[:, row] = np.minimum(trunk[:, row], hung[:, row + 1] - flare * tailor.body.step)

    def keeps(points, rest, arm, leg):
        return [points[:, 1] - hem, waist - points[:, 1], 0.4 - arm]

    def chart(points, rest, arm, leg):
        turn = np.arctan2(points[:, 0] - hips[0], points[:, 2] - hips[2])
        round_ = turn * (0.16 + 0.8 * flare * (waist - points[:, 1]))
        return np.stack([round_, points[:, 1], np.zeros(len(points))], 1)

    return tailor.cut(hung, keeps, chart)


FABRICS = {
    "jersey": Fabric(bend=6e-4, friction=0.5),
    "cotton": Fabric(bend=2e-4, friction=0.6),
    "denim": Fabric(bend=4e-5, friction=0.7),
    "wool": Fabric(bend=1e-4, friction=0.6, gap=0.005),
    "viscose": Fabric(bend=1.5e-3, friction=0.4),
}


def on_top(tailor: Tailor, *garments: Garment) -> Grid:
    """What the next layer hangs on."""
    grid = tailor.body
    for garment in garments:
        layer = tailor.covered(garment)
        grid = grid.with_values(np.minimum(grid.values, layer.values))
    return grid
