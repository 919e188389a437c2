"""Levels the world of a motion that was seen by a camera of unknown tilt.

The camera's idea of upright is turned so that people stand in balance, over their feet and on flat
soles, and so that the way they go keeps to a level floor.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from svad.body.skeleton import Joint
from svad.geometry.rotation import rodrigues_array
from svad.motion import rig
from svad.motion.contact import BALL, HEEL, Soles, contacts, runs, soles_of
from svad.motion.rig import UP, Track, unit

MOST = np.radians(20.0)  # that the world is turned
TILT = np.radians(10.0)  # standard deviation of the tilt of people's cameras
BALANCE = np.radians(4.0)  # of the mean lean of a person, from vertical
FLAT = np.radians(8.0)  # of the mean slope of soles that stand
FLOOR = 0.02  # metres, of the height of a foot that stands


def levelled(track: Track, fps: float) -> Track:
    """The same motion in a level world.

    Bodies and their way are turned each by what tells of them: a body that was tracked too upright
    must not lean because its way was level.
    """
    soles = soles_of(track)
    stands = contacts(soles, track.skeleton.leg, fps)
    if not stands.any():
        return track
    upright = _limited(_balance(track, soles, stands))
    turned = _turned(track, upright, upright)
    slope = _limited(_slope(turned, stands), MOST - np.linalg.norm(upright))
    return _turned(turned, slope, np.zeros(3))


def _balance(track: Track, soles: Soles, stands: np.ndarray) -> np.ndarray:  # [3] axis-angle
    """The turn that brings bodies over their feet and soles to the level, if likely."""
    _, places = rig.forward(track)
    body = 0.5 * (places[:, Joint.PELVIS] + places[:, Joint.NECK])
    on = stands.any((1, 2))
    over = body - soles.points.mean((1, 2))
    tall = on & (over[:, 1] >= np.median(over[on, 1]))  # who bends or squats leans as well
    lean = np.cross(unit(over), UP)[tall]
    both = stands[..., HEEL] & stands[..., BALL]
    normals = soles.turn[both][:, :, 1]
    pairs = [(np.median(lean, 0), BALANCE)]
    if len(normals):
        pairs.append((np.median(np.cross(normals, UP), 0), FLAT))
    weight = np.array([1 / sigma**2 for _, sigma in pairs])
    mean = sum(w * found for w, (found, _) in zip(weight, pairs, strict=True))
    return mean / (weight.sum() + 1 / TILT**2) * (1, 0, 1)


def _slope(track: Track, stands: np.ndarray) -> np.ndarray:  # [3] axis-angle
    """The turn that brings the places where feet stand to one height."""
    points = soles_of(track).points
    spots = [
        points[run, side, point].mean(0)
        for side in range(2)
        for point in range(2)
        for run in runs(stands[:, side, point])
    ]
    x, y, z = (np.array(spots) - np.mean(spots, 0)).T
    # turning by (a, 0, c) raises a point by c x - a z
    rows = np.stack([-z, x], 1) / FLOOR
    normal = rows.T @ rows + np.eye(2) / TILT**2
    a, c = np.linalg.solve(normal, rows.T @ (-y / FLOOR))
    return np.array([a, 0.0, c])


def _turned(track: Track, way: np.ndarray, body: np.ndarray) -> Track:
    """The way turned about its first place, and the bodies that go it."""
    around, own = rodrigues_array(way[None])[0], rodrigues_array(body[None])[0]
    rotations = track.rotations.copy()
    rotations[:, Joint.PELVIS] = own @ rotations[:, Joint.PELVIS]
    start = track.pelvis[0]
    return replace(track, rotations=rotations, pelvis=(track.pelvis - start) @ around.T + start)


def _limited(turn: np.ndarray, most: float = MOST) -> np.ndarray:
    size = np.linalg.norm(turn)
    return turn * min(1.0, max(most, 0.0) / max(size, 1e-9))
