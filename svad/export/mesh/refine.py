"""Divides the triangles of a closed mesh where it has to be fine: at lids and lips that open."""

from __future__ import annotations

import numpy as np

ROUNDS = 3  # of division, each of which halves edges


def refined(
    points: np.ndarray,  # [V, 3] metres
    faces: np.ndarray,  # [F, 3] a closed 2-manifold
    fine: np.ndarray,  # [V] bool: where edges are to be short
    longest: float,  # metres, of an edge there
    most: int,  # triangles
) -> tuple[np.ndarray, np.ndarray]:  # [W, 3], [G, 3]
    """The same surface with its edges divided in the middle where they are too long.

    Triangles beside divided ones are divided along with them, so the mesh stays closed. A round
    that would come to more than `most` triangles is not begun.
    """
    for _ in range(ROUNDS):
        corners = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 3, 2)  # the edges of each triangle
        ends, place = np.unique(np.sort(corners, 2).reshape(-1, 2), axis=0, return_inverse=True)
        place = place.reshape(-1, 3)
        wanted = np.zeros(len(ends), bool)
        wanted[place[fine[faces].any(1)].reshape(-1)] = True
        wanted &= np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1) > longest
        count = wanted[place].sum(1)
        if not wanted.any() or len(faces) + count.sum() > most:
            break
        number = np.full(len(ends), -1)
        number[wanted] = len(points) + np.arange(wanted.sum())
        points = np.concatenate([points, points[ends[wanted]].mean(1)])
        fine = np.concatenate([fine, fine[ends[wanted]].all(1)])
        faces = _divided(faces, number[place], points)
    return points, faces


def _divided(faces: np.ndarray, middle: np.ndarray, points: np.ndarray) -> np.ndarray:  # [G, 3]
    """Triangles with the vertices [F, 3] in the middle of their edges, -1 where there is none."""
    count = (middle >= 0).sum(1)
    # turned so that the first edge is divided, and the last of two is not
    first = np.where(count == 2, (middle < 0).argmax(1) + 1, (middle >= 0).argmax(1)) % 3
    turn = (first[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(faces, turn, 1).T
    m, n, o = np.take_along_axis(middle, turn, 1).T  # of ab, bc, ca

    def rows(which: np.ndarray, *triangles: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        return [np.stack(one, 1)[which] for one in triangles]

    one, two, three = (count == k for k in (1, 2, 3))
    one_way, other = (np.linalg.norm(points[p] - points[q], axis=1) for p, q in ((a, n), (m, c)))
    near = two & (one_way <= other)  # the shorter diagonal of what two middles leave
    far = two & (one_way > other)
    parts = [
        faces[count == 0],
        *rows(one, (a, m, c), (m, b, c)),
        *rows(two, (m, b, n)),
        *rows(near, (a, m, n), (a, n, c)),
        *rows(far, (a, m, c), (m, n, c)),
        *rows(three, (a, m, o), (m, b, n), (o, n, c), (m, n, o)),
    ]
    return np.concatenate(parts).astype(np.int32)
