"""Finds named vertex lists (hands, head, face, key points) on the default body."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from svad.body.depth import draw
from svad.body.skeleton import EYES, HANDS, HEAD_JOINTS, JOINTS, of_side

HIDDEN_VIEWS = 6  # of 65; a few look in between the lips


def vertex_lists(
    template: np.ndarray,  # [V, 3] T-pose
    weights: np.ndarray,  # [V, 55]
    expression: np.ndarray,  # [V, 3, E]
    flip: np.ndarray,  # [V]
    ears: np.ndarray,  # ids of both ears
) -> dict[str, np.ndarray]:
    """Vertex ids by name."""
    ids = np.arange(len(template))

    def moved_by(*joints: int) -> np.ndarray:
        return ids[weights[:, list(joints)].sum(1) > 0.5]

    return {
        "left_hand": moved_by(*HANDS["left"]),
        "right_hand": moved_by(*HANDS["right"]),
        "head": moved_by(*HEAD_JOINTS),
        "face": ids[np.linalg.norm(expression, axis=1).max(1) > 1e-5],
        "left_eye": moved_by(EYES[0]),
        "right_eye": moved_by(EYES[1]),
        "left_foot": moved_by(*of_side("left", "ankle", "foot")),
        "right_foot": moved_by(*of_side("right", "ankle", "foot")),
        "keypoints": _keypoints(template, weights, flip, ears),
    }


def mouth_cavity(
    template: np.ndarray,  # [V, 3]
    faces: np.ndarray,  # [F, 3]
    head: np.ndarray,  # ids
    nose_base: np.ndarray,  # [3] below the septum
    upper_lip: np.ndarray,  # [3] top of the upper lip, on the middle line
    chin: np.ndarray,  # [3]
) -> np.ndarray:
    """The inside of the mouth: what (almost) no view from outside shows, from nose to chin."""
    size, span = 640, 0.26
    faces = faces[(template[faces[:, 0], 1] > template[head, 1].min() - 0.2)]
    center = template[head].mean(0)
    views = np.zeros(len(template), int)
    for yaw in np.radians(range(-90, 91, 15)):
        for pitch in np.radians((-40, -20, 0, 20, 40)):
            c, s, d, t = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
            turn = np.array([[1, 0, 0], [0, d, -t], [0, t, d]])
            turn = turn @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
            x, y, z = ((template - center) @ turn.T).T
            pixels = np.stack([x, -y, span - z], 1) * (size / span, size / span, 1)
            maps = draw(pixels + (size / 2, size / 2, 0), faces, size, size)
            views[np.unique(faces[np.unique(maps.near_face[maps.covered])])] += 1
    hidden = views < HIDDEN_VIEWS
    hidden[np.setdiff1d(np.arange(len(template)), faces)] = False
    x, y, z = template.T
    seed = hidden & (np.abs(x) < 0.03) & (y < nose_base[1]) & (y > chin[1])
    seed &= z > upper_lip[2] - 0.06
    # the cavity is the hidden patch around the seed; nostrils and ears are patches of their own
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    pairs = pairs[hidden[pairs].all(1)]
    graph = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(template), len(template)))
    patch = connected_components(graph, directed=False)[1]
    names, counts = np.unique(patch[seed], return_counts=True)
    return np.flatnonzero(hidden & (patch == names[counts.argmax()]))


def vertex_normals(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (points[faces[:, k]] for k in range(3))
    normals = np.zeros_like(points)
    for k in range(3):
        np.add.at(normals, faces[:, k], np.cross(b - a, c - a))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _keypoints(
    template: np.ndarray, weights: np.ndarray, flip: np.ndarray, ears: np.ndarray
) -> np.ndarray:
    """The 21 key point vertices of the SMPL-X reader.

    Nose, right and left eye, right and left ear; left big toe, small toe, heel, then right;
    left finger tips from thumb to pinky, then right.
    """

    def best(mask: np.ndarray, score: np.ndarray) -> int:
        chosen = np.flatnonzero(mask)
        return int(chosen[score[chosen].argmax()])

    def moved(*names: str) -> np.ndarray:
        return weights[:, [JOINTS.index(n) for n in names]].sum(1) > 0.5

    x, y, z = template.T
    head = moved("head", "jaw")
    eye = best(moved("left_eye"), z)
    nose = best(head & (np.abs(x) < 0.02), z)
    left = ears[template[ears, 0] > 0]
    ear = left[np.linalg.norm(template[left] - template[left].mean(0), axis=1).argmin()]
    toes = moved("left_foot")
    big = best(toes, z)
    small = best(toes, x + 0.5 * z)
    heel = best(moved("left_ankle") & (y < np.median(y[toes])), -z)
    tips = []
    for finger in ("thumb", "index", "middle", "ring", "pinky"):
        last, middle = (moved(f"left_{finger}{i}") for i in (3, 2))
        axis = template[last].mean(0) - template[middle].mean(0)
        tips.append(best(last, template @ axis))
    left = [big, small, heel]
    return np.array([nose, flip[eye], eye, flip[ear], ear, *left, *flip[left], *tips, *flip[tips]])
