"""Image registration: corrects an alignment of two faces by a little, from their pictures.

Detected landmarks jitter by a few hundredths of a face, which is enough to double an eyelid. Both
faces are brought to one small low-passed picture and matched by Gauss-Newton steps on a
similarity, up to brightness and contrast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from svad.geometry.similarity import chain, for_opencv, invert, move
from svad.identity import align

SIDE = 96  # px of the small picture
FACE = 72.0  # px of the face in it
BLURS = (4.0, 2.0)  # px, coarse to fine
SOFTER = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)  # px, how much softer than the head a frame may be
STEPS = 8  # at each blur
FARTHEST = 0.06  # of the face's size, how far a landmark may move on average


def register(
    matrix: np.ndarray,  # [2, 3] similarity, head pixels to frame pixels
    head: np.ndarray,  # [h, w, 3] uint8 over black
    coverage: np.ndarray,  # [h, w] float, 0..1
    frame: np.ndarray,  # [H, W, 3] uint8
    points: np.ndarray,  # [68, 2] landmarks of the frame
) -> np.ndarray:  # [2, 3]
    """The similarity that matches the pictures best, near the given one.

    The given one comes back when the match leads farther away than landmarks err, or does not
    make the faces more alike.
    """
    view = _view(points)
    start = chain(view, matrix)
    pair = _Pair(
        *align.shrunk(_grey(head), start)[:1],
        *align.shrunk(np.asarray(coverage, np.float32), start)[:1],
        _sampled(*align.shrunk(_grey(frame), view)),
        _weights(points, view),
    )
    found = start = align.shrunk(_grey(head), start)[1]
    for blur in BLURS:
        pair = pair.softened(found)
        for _ in range(STEPS):
            found = pair.step(found, blur)
    before, after = (pair.likeness(m) for m in (start, found))
    back = invert(chain(found, invert(start)))  # in the small picture
    moved = move(move(points, view), back) - move(points, view)
    if not after > before or np.linalg.norm(moved, axis=1).mean() > FARTHEST * FACE:
        return matrix
    change = chain(invert(view), chain(invert(back), view))
    return chain(change, matrix)


def _view(points: np.ndarray) -> np.ndarray:  # [2, 3]
    """Frame pixels to the small picture."""
    zoom = FACE / max(align.face_size(points), 1.0)
    middle = (points.min(0) + points.max(0)) / 2
    return np.column_stack([zoom * np.eye(2), SIDE / 2 - zoom * middle])


def _weights(points: np.ndarray, view: np.ndarray) -> np.ndarray:  # [SIDE, SIDE]
    """One on the face, softly zero around it."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    hull = cv2.convexHull(np.rint(move(points, view) - 0.5).astype(np.int32, order="C"))
    cv2.fillConvexPoly(mask, hull, (1.0,))
    return cv2.GaussianBlur(mask, (0, 0), 3.0)


def _grey(image: np.ndarray) -> np.ndarray:  # [H, W, 3] -> [H, W] float32
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _sampled(grey: np.ndarray, matrix: np.ndarray) -> np.ndarray:  # [SIDE, SIDE]
    return cv2.warpAffine(grey, for_opencv(matrix), (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class _Pair:
    """The two faces."""

    head: np.ndarray  # [h, w] grey over black
    coverage: np.ndarray  # [h, w]
    frame: np.ndarray  # [SIDE, SIDE] grey, small
    weights: np.ndarray  # [SIDE, SIDE]
    soft: float = 0.0  # px, the frame's own blur that the head lacks

    def softened(self, matrix: np.ndarray) -> _Pair:
        """The head as soft as the frame: else the sharper one seems to have another size."""
        pairs = [replace(self, soft=soft) for soft in SOFTER]
        return max(pairs, key=lambda pair: pair.likeness(matrix))

    def step(
        self,
        matrix: np.ndarray,  # [2, 3] head to small picture
        blur: float,  # px
    ) -> np.ndarray:  # [2, 3]
        """One Gauss-Newton step."""
        current, goal = self._even(matrix, blur)
        slope_y, slope_x = np.gradient(current)
        y, x = np.mgrid[:SIDE, :SIDE] + 0.5 - SIDE / 2
        columns = [slope_x * x + slope_y * y, slope_y * x - slope_x * y, slope_x, slope_y]
        jacobian = np.stack([(c - self._mean(c)).ravel() for c in columns], 1)
        weighted = jacobian * self.weights.reshape(-1, 1)
        normal = weighted.T @ jacobian
        normal += 1e-3 * np.diag(np.diag(normal)) + 1e-9 * np.eye(4)
        a, b, u, v = np.linalg.solve(normal, weighted.T @ (goal - current).ravel())
        turn, middle = np.array([[1 + a, -b], [b, 1 + a]]), np.full(2, SIDE / 2)
        # the picture is to be read at `change`, so it is carried along the inverse
        change = np.column_stack([turn, middle - turn @ middle + (u, v)])
        return chain(invert(change), matrix)

    def likeness(self, matrix: np.ndarray) -> float:
        """Correlation of the two faces."""
        current, goal = self._even(matrix, BLURS[-1])
        return self._mean(current * goal)

    def _even(self, matrix: np.ndarray, blur: float) -> tuple[np.ndarray, np.ndarray]:
        """Both faces low-passed, with mean 0 and variance 1; beside the head both are the frame."""
        beside = 1 - _sampled(self.coverage, matrix)
        current = _sampled(self.head, matrix) + beside * self.frame
        blurs = (np.hypot(blur, self.soft), blur)
        faces = (
            cv2.GaussianBlur(image, (0, 0), by)
            for image, by in zip((current, self.frame), blurs, strict=True)
        )
        centred = [face - self._mean(face) for face in faces]
        first, second = (face / np.sqrt(self._mean(face**2) + 1e-6) for face in centred)
        return first, second

    def _mean(self, image: np.ndarray) -> float:
        return float((self.weights * image).sum() / self.weights.sum())
