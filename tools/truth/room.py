"""The room that a person is filmed in: a wall, a floor, a skirting board, a soft shadow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svad.compute.compiled import cached
from svad.geometry.camera import Camera

BEHIND = 1.4  # metres from the person to the wall
BOARD = 0.09  # metres, height of the skirting board
EDGE = 0.006  # metres over which one surface passes into the next
PLANK = 0.16  # metres
SEAMLESS = 0.25  # metres, the same where there is no board
FEET, BODY = (0.10, 0.22), (0.45, 0.25)  # metres, sigma of a shadow, and how dark it is


@dataclass(frozen=True)
class Room:
    """Colours in sRGB, 0..1."""

    wall: tuple[float, float, float]
    floor: tuple[float, float, float]
    board: tuple[float, float, float] | None  # None: the wall runs into the floor, as in a studio
    light: float  # metres to the right of the middle, where the wall is brightest
    planks: float = 0.0  # how much the floor's planks differ


ROOMS = (
    Room((0.84, 0.82, 0.78), (0.55, 0.43, 0.33), (0.93, 0.92, 0.9), -0.7, 0.06),  # light, wood
    Room((0.20, 0.56, 0.28), (0.21, 0.54, 0.28), None, 0.3),  # a green studio
    Room((0.55, 0.62, 0.70), (0.47, 0.46, 0.45), (0.80, 0.82, 0.84), 0.8),  # blue-grey, stone
    Room((0.72, 0.60, 0.52), (0.36, 0.27, 0.22), (0.30, 0.22, 0.18), -0.2, 0.05),  # clay, dark wood
)


def behind(
    room: Room,
    camera: Camera,
    floor: float,  # metres, its height
    feet: np.ndarray,  # [F, 3] metres, what casts a small shadow
    body: np.ndarray,  # [3] metres, what casts a large one
) -> np.ndarray:  # [H, W, 3] float32, 0..1
    """What the camera sees of the room."""
    turn = camera.rotation.astype(np.float64)
    eye = -turn.T @ camera.translation.astype(np.float64)
    shadows = np.array([*((x, z, *FEET) for x, _, z in feet), (body[0], body[2], *BODY)])
    lens = np.array([*camera.focal, *camera.center])
    board = np.array(room.board or room.wall)
    soft, rise = (EDGE, BOARD) if room.board else (SEAMLESS, 0.0)
    out = np.empty((camera.height, camera.width, 3), np.float32)
    _paint(
        turn, eye, lens, np.array([floor, soft, rise, room.light, room.planks]),
        np.array([room.wall, room.floor, board]), shadows, out,
    )  # fmt: skip
    return out


@cached(nogil=True, error_model="numpy")
def _paint(turn, eye, lens, sizes, colours, shadows, out):
    """A ray for each pixel, to the wall and to the floor."""
    floor, soft, rise, light, planks = sizes
    for j in range(out.shape[0]):
        for i in range(out.shape[1]):
            a, b = (i + 0.5 - lens[2]) / lens[0], (j + 0.5 - lens[3]) / lens[1]
            ray_x = turn[0, 0] * a + turn[1, 0] * b + turn[2, 0]
            ray_y = turn[0, 1] * a + turn[1, 1] * b + turn[2, 1]
            ray_z = turn[0, 2] * a + turn[1, 2] * b + turn[2, 2]
            to_wall = (-BEHIND - eye[2]) / min(ray_z, -1e-4)
            x, y = eye[0] + ray_x * to_wall, eye[1] + ray_y * to_wall - floor
            # brightest at about the height of a head
            fall = 0.16 * ((x - light) / 1.6) ** 2 + 0.10 * ((y - 1.8) / 1.6) ** 2
            wall = 1.04 - min(fall, 0.5)
            board = 1 - _step((y - rise) / EDGE)
            share = _step(y / soft)
            x, z, ground = 0.0, 0.0, 0.0
            if share < 1:
                to_floor = (floor - eye[1]) / min(ray_y, -1e-4)
                x, z = eye[0] + ray_x * to_floor, eye[2] + ray_z * to_floor
                tone = np.sin(12.9898 * np.floor(x / PLANK) + 4.1) * planks  # one for each plank
                ground = 0.94 - 0.05 * min(max(z, -BEHIND), 2.0) + tone
                for k in range(shadows.shape[0]):
                    away = (x - shadows[k, 0]) ** 2 + (z - shadows[k, 1]) ** 2
                    ground *= 1 - shadows[k, 3] * np.exp(-away / (2 * shadows[k, 2] ** 2))
            for c in range(3):
                seen = (1 - board) * colours[0, c] * wall + board * colours[2, c] * (rise > 0)
                seen += board * colours[0, c] * wall * (rise == 0)
                out[j, i, c] = share * seen + (1 - share) * ground * colours[1, c]


@cached()
def _step(x):
    """0 below -1/2, 1 above 1/2, smooth between."""
    t = min(max(x + 0.5, 0.0), 1.0)
    return t * t * (3 - 2 * t)
