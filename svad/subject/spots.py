"""Every person in a picture, roughly: where the hips are, which way the head lies, how large."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

SURE = 0.75  # score from which on a spot is somebody; parts of bodies get 0.5 to 0.7
LEANS = 50.0  # degrees off upright from which on a picture may be turned; people lean less
_SPREAD = 1.25  # BlazePose's own: the cut for the landmarks is this much larger than the circle


@dataclass(frozen=True, eq=False)
class Spot:
    """A person as BlazePose's detector sees one: a circle about the hips that holds the body."""

    hips: np.ndarray  # [2] x px, y px, its centre
    top: np.ndarray  # [2] x px, y px, on it, in the direction of the head
    score: float

    @property
    def reach(self) -> float:
        """The circle's radius, px."""
        return float(np.linalg.norm(self.top - self.hips))

    @property
    def side(self) -> float:
        """Side of the square cut in which the landmarks are looked for, px."""
        return 2 * _SPREAD * self.reach

    @property
    def turn(self) -> float:
        """How far the body is turned from upright, clockwise in the picture, radians."""
        x, y = self.top - self.hips
        return float(np.arctan2(x, -y))

    @property
    def lean(self) -> float:
        """The same in degrees, -180 to 180."""
        return float(np.degrees(self.turn))

    @property
    def lies(self) -> bool:
        """Whether this is surely somebody, and surely not upright in the picture."""
        return self.score >= SURE and abs(self.lean) >= LEANS

    def holds(
        self,
        point: np.ndarray,  # [2] x px, y px
    ) -> bool:
        """Whether a point lies in the circle."""
        return bool(np.linalg.norm(point - self.hips) < self.reach)

    def moved(self, offset: tuple[int, int], scale: float) -> Spot:
        """The same person in the picture of which this was a part at `offset`, at `scale`."""
        shift = np.array(offset, np.float64)
        return Spot(self.hips / scale + shift, self.top / scale + shift, self.score)


LEVELS = (1.0, 0.5, 0.25, 0.16)  # sides of the tiles, shares of the longer side of the picture
SEEN = 0.27  # of a tile's side, height from which on most people are found (at 0.34: all tried)
_SMALLER = 1.3  # landmarks end below the crown; finer tiles are four times as many
_TILE = 448  # px, side at which a tile is handed on; the detector works at 224
_LEAST = 400  # px, smallest tile: it still shows somebody of 110 px, too few for an avatar
_SAME = 0.28  # of the smaller reach, that hips and head of one person differ by between two tiles
_TOO_MANY = 48  # spots that are compared with each other

Find = Callable[[np.ndarray], list[Spot]]
"""`find(rgb [H, W, 3] uint8) -> spots`: the people a detector sees in a picture."""


class Search:
    """One picture, searched from coarse to fine; no size of tiles twice."""

    def __init__(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        find: Find,
    ) -> None:
        self._rgb, self._find = rgb, find
        self._known: dict[int, list[Spot]] = {}

    def __iter__(self) -> Iterator[tuple[int, list[Spot]]]:
        """(side of the tiles in px, the people in them), from the whole picture downwards."""
        longest = max(self._rgb.shape[:2])
        for share in LEVELS:
            side = int(share * longest)
            if share == 1.0 or side >= _LEAST:
                if side not in self._known:
                    self._known[side] = search(self._rgb, self._find, side)
                yield side, self._known[side]

    def largest(self) -> Spot | None:
        """The largest person who is surely one, in the coarsest tiles that show anybody."""
        for _, spots in self:
            found = [spot for spot in spots if spot.score >= SURE]
            if found:
                return max(found, key=lambda spot: spot.reach)
        return None

    def taller(self, least: float) -> list[Spot]:
        """All people at least this high, px, and many of the smaller ones."""
        found: list[Spot] = []
        for side, spots in self:
            found += spots
            if SEEN * side <= _SMALLER * least:
                break
        return once(found)


def search(
    rgb: np.ndarray,  # [H, W, 3] uint8
    find: Find,
    side: int,  # px
) -> list[Spot]:
    """The people in all tiles of one size, each once, the surest first.

    Neighbouring tiles overlap by half, so that everybody of up to half a tile is whole in one.
    """
    height, width = rgb.shape[:2]
    spots: list[Spot] = []
    for y in _starts(height, side):
        for x in _starts(width, side):
            tile = rgb[y : y + side, x : x + side]
            factor = min(_TILE / max(tile.shape[:2]), 2.0)
            way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
            small = cv2.resize(tile, None, fx=factor, fy=factor, interpolation=way)
            spots += [spot.moved((x, y), factor) for spot in find(small)]
    return once(spots)


def once(spots: list[Spot]) -> list[Spot]:
    """Without those that are another one again, the surest of each kept."""
    kept: list[Spot] = []
    for spot in sorted(spots, key=lambda one: -one.score):
        if len(kept) < _TOO_MANY and not any(alike(spot, other) for other in kept):
            kept.append(spot)
    return kept


def alike(one: Spot, other: Spot) -> bool:
    """Whether two spots are one person."""
    near = _SAME * min(one.reach, other.reach)
    apart = (one.hips - other.hips, one.top - other.top)
    return bool(max(np.linalg.norm(a) for a in apart) < 2 * near and min(map(_size, apart)) < near)


def _size(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector))


def _starts(length: int, side: int) -> list[int]:
    """Where tiles begin along one side of the picture."""
    if length <= side:
        return [0]
    steps = int(np.ceil((length - side) / (0.5 * side))) + 1
    return [round(v) for v in np.linspace(0, length - side, steps)]
