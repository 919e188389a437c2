"""Brings feet to the floor and keeps those that stand from sliding: first by the way, then by legs.

What a camera tells worst is how far away a person is. Feet that stand tell it better: the way is
corrected so that they stay where they are (least squares), and two-bone inverse kinematics takes
the rest.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.sparse import csr_matrix, diags, eye, vstack
from scipy.sparse.linalg import spsolve

from svad.body.skeleton import LEGS, Joint
from svad.geometry.rotation import rodrigues_array
from svad.geometry.sampling import smoothstep
from svad.motion import rig
from svad.motion.contact import BALL, HEEL, Soles, contacts, runs, soles_of
from svad.motion.rig import UP, Track, unit

SLIP = 0.003  # metres, that a standing sole may move from frame to frame
HIGH = 0.008  # metres, that it may be off the floor
DRIFT = 0.25  # metres a second, that the way may be wrong
BUMP = 4.0  # metres a second squared, that a correction may change by
STRAY = 1.0  # metres, that it may grow to
PASSES, DOUBT = 4, 0.02  # reweightings; metres of slip from which on a sole counts as lifted
BLEND = 0.16  # seconds in which a foot is let go


def grounded(track: Track, fps: float) -> Track:
    """The motion with its feet on the floor of the rest pose; x and z of the first frame are 0."""
    leg, floor = track.skeleton.leg, track.skeleton.floor
    soles = soles_of(track)
    stands = contacts(soles, leg, fps)
    heights = soles.points[..., 1]
    level = np.median(heights[stands]) if stands.any() else heights.min()
    start = track.pelvis[0] * (1, 0, 1) + UP * (level - floor)
    track = replace(track, pelvis=track.pelvis - start)
    if len(track.pelvis) < 4 or not stands.any():
        return track
    way = _corrected(soles_of(track).points, stands, floor, fps)
    track = replace(track, pelvis=track.pelvis + way - way[0] * (1, 0, 1))
    return _placed(track, stands, fps)


def _corrected(
    points: np.ndarray,  # [T, 2, 2, 3]
    stands: np.ndarray,  # [T, 2, 2] bool
    floor: float,
    fps: float,
) -> np.ndarray:  # [T, 3] metres to add to the way
    """Standing soles keep their place and height; else the way's speed is kept."""
    count = len(points)
    same = csr_matrix(eye(count))
    step = same[1:] - same[:-1]
    bend = step[:-1, :-1] @ step
    fixed = vstack([step * (fps / DRIFT), bend * (fps**2 / BUMP), eye(count) / STRAY]).tocsr()
    pairs = (stands[1:] & stands[:-1]).reshape(count - 1, -1)  # [T - 1, 4]
    moved = np.diff(points, axis=0).reshape(count - 1, -1, 3)
    row, _ = np.nonzero(pairs)
    slip = step[row] / SLIP
    on, _ = np.nonzero(stands.reshape(count, -1))
    height = csr_matrix((np.full(len(on), 1 / HIGH), (np.arange(len(on)), on)), (len(on), count))
    trust, way = np.ones(len(row)), np.zeros((count, 3))
    for _ in range(PASSES):
        for axis in range(3):
            rows = [fixed, diags(trust) @ slip]
            wanted = [np.zeros(3 * count - 3), -trust * moved[pairs][:, axis] / SLIP]
            if axis == 1:
                rows.append(height)
                wanted.append((floor - points[stands][:, 1]) / HIGH)
            matrix = vstack(rows).tocsr()
            normal = (matrix.T @ matrix).tocsc()
            way[:, axis] = spsolve(normal, matrix.T @ np.concatenate(wanted))
        left = np.linalg.norm(moved[pairs] + np.diff(way, axis=0)[row], axis=1)
        trust = 1 / (1 + (left / DOUBT) ** 2)
    return way


def _placed(track: Track, stands: np.ndarray, fps: float) -> Track:
    """Legs bent so that standing soles are flat, on the floor and at rest."""
    soles = _flattened(soles_of(track), stands, fps)
    ankle = soles.ankle + _held(soles.points, stands, track.skeleton.floor, fps)
    low = track.skeleton.floor - replace(soles, ankle=ankle).points[..., 1].min(2)  # [T, 2]
    ankle[..., 1] += np.maximum(low, 0)
    track = _lowered(track, ankle, fps)
    turns, _ = rig.forward(track)
    for place, side in enumerate(rig.SIDES):
        _bend_leg(track, side, ankle[:, place], soles.turn[:, place], turns)
        _bend_toes(track, side, soles.turn[:, place], _eased(stands[:, place, BALL], fps))
    return track


def _flattened(soles: Soles, stands: np.ndarray, fps: float) -> Soles:
    """Feet that stand on heel and ball turned flat about the ball."""
    turn = soles.turn.copy()
    for side in range(2):
        share = _eased(stands[:, side, HEEL] & stands[:, side, BALL], fps)
        turn[:, side] = _level(turn[:, side], share) @ turn[:, side]
    ball = soles.points[:, :, BALL]
    ankle = ball - np.einsum("tsij,sj->tsi", turn, soles.offset[:, BALL])
    return replace(soles, turn=turn, ankle=ankle)


def _held(
    points: np.ndarray,  # [T, 2, 2, 3]
    stands: np.ndarray,  # [T, 2, 2] bool
    floor: float,
    fps: float,
) -> np.ndarray:  # [T, 2, 3] metres to add to the ankles
    """What keeps soles where they stood, eased in and out."""
    count, reach = len(points), math.ceil(BLEND * fps)
    total, weight = np.zeros((count, 2, 3)), np.zeros((count, 2, 1))
    for side in range(2):
        for point in range(2):
            for run in runs(stands[:, side, point]):
                own = points[run, side, point]
                anchor = np.median(own, 0) * (1, 0, 1) + UP * floor
                # only what is near: a long motion has thousands of runs
                near = np.arange(max(run.start - reach, 0), min(run.stop + reach, count))
                ends = near.clip(run.start, run.stop - 1)
                share = smoothstep(1 - np.abs(near - ends) / (BLEND * fps))[:, None] ** 2
                total[near, side] += share * (anchor - points[ends, side, point])
                weight[near, side] += share
    return total / np.maximum(weight, 1)


def _lowered(track: Track, ankle: np.ndarray, fps: float) -> Track:
    """The pelvis brought down where a leg would be too short."""
    sides = tuple(rig.SIDES)
    turn = np.broadcast_to(np.eye(3), (len(ankle), 3, 3))
    feet = {side: rig.Foot(ankle[:, i], turn) for i, side in enumerate(sides)}
    over = np.maximum(track.pelvis[:, 1] - rig.reachable_height(track, feet), 0)
    # lowered by no more than what standing takes: a leg that is nearly straight may miss a little
    window = 2 * round(0.1 * fps) + 1
    drop = gaussian_filter1d(maximum_filter1d(over, window), 0.05 * fps)
    pelvis = track.pelvis.copy()
    pelvis[:, 1] -= np.minimum(drop, 0.1 * track.skeleton.leg)
    return replace(track, pelvis=pelvis)


def _bend_leg(
    track: Track, side: str, target: np.ndarray, foot: np.ndarray, turns: np.ndarray
) -> None:
    """Two-bone inverse kinematics that keeps the plane in which the knee bends."""
    hip, knee, ankle, _ = LEGS[side]
    skeleton = track.skeleton
    thigh, shin = np.diff(np.asarray(skeleton.joints, np.float64)[[hip, knee, ankle]], axis=0)
    start = rig.hip_places(track, side)
    upper, lower = turns[:, hip] @ thigh, turns[:, knee] @ shin
    axis = np.cross(upper, lower)
    size = np.linalg.norm(axis, axis=-1, keepdims=True)
    forward = turns[:, knee] @ np.array([1.0, 0, 0])  # where the leg is straight
    axis = np.where(
        size > 0.02 * np.linalg.norm(thigh) ** 2, axis / np.maximum(size, 1e-9), forward
    )
    axis = unit(axis - (axis * unit(upper)).sum(-1, keepdims=True) * unit(upper))
    away = target - start
    longest = rig.REACH * (np.linalg.norm(thigh) + np.linalg.norm(shin))
    distance = np.clip(np.linalg.norm(away, axis=-1), 0.3 * longest, longest)
    a, b = np.linalg.norm(thigh), np.linalg.norm(shin)
    wanted = np.pi - np.arccos(np.clip((a**2 + b**2 - distance**2) / (2 * a * b), -1, 1))
    now = np.arccos(np.clip((unit(upper) * unit(lower)).sum(-1), -1, 1))
    bent = rodrigues_array(axis * (wanted - now)[:, None]) @ turns[:, knee]
    end = upper + bent @ shin
    swing = _between(end, away)
    whole, bent = swing @ turns[:, hip], swing @ bent
    rotations = track.rotations
    rotations[:, hip] = np.swapaxes(rotations[:, Joint.PELVIS], -1, -2) @ whole
    rotations[:, knee] = np.swapaxes(whole, -1, -2) @ bent
    rotations[:, ankle] = np.swapaxes(bent, -1, -2) @ foot


def _bend_toes(track: Track, side: str, foot: np.ndarray, share: np.ndarray) -> None:
    """Toes flat on the floor while the ball stands."""
    toes = LEGS[side][3]
    flat = np.swapaxes(foot, -1, -2) @ _level(foot, share) @ foot
    own = track.rotations[:, toes]
    track.rotations[:, toes] = np.where(share[:, None, None] > 0, flat, own)


def _level(turn: np.ndarray, share: np.ndarray) -> np.ndarray:  # [T, 3, 3]
    """The shortest turn that brings a foot's up a share of the way to the world's."""
    return _between(turn[:, :, 1], np.broadcast_to(UP, turn[:, :, 1].shape), share)


def _between(a: np.ndarray, b: np.ndarray, share: np.ndarray | float = 1.0) -> np.ndarray:
    """The shortest turns from directions to others, or a share of them."""
    a, b = unit(a), unit(b)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    angle = np.arctan2(sine[..., 0], (a * b).sum(-1)) * share
    return rodrigues_array(axis / np.maximum(sine, 1e-9) * angle[..., None])


def _eased(on: np.ndarray, fps: float) -> np.ndarray:  # [T] bool -> [T] 0..1
    """1 while something holds, falling smoothly to 0 before and after."""
    frames = np.arange(len(on))
    held = frames[on]
    if not len(held):
        return np.zeros(len(on))
    place = np.searchsorted(held, frames)
    after = held[np.minimum(place, len(held) - 1)]
    before = held[np.maximum(place - 1, 0)]
    away = np.minimum(np.abs(after - frames), np.abs(frames - before)) / (BLEND * fps)
    return smoothstep(1 - away)
