"""Somebody else's skeleton in motion: bones with names, of any proportions and rest pose."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from svad.body.skeleton import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, Joint
from svad.geometry.rotation import shortest_rotation
from svad.motion.rig import UP, unit

UPRIGHT = 0.7  # cosine, between an axis and a body that stands along it
OPPOSITE = -0.6  # cosine, between trunk and legs of somebody who stands
APART = 1e-6  # of the length of a leg: joints nearer than this are one


@dataclass(frozen=True)
class Performer:
    """N bones in T frames, in any unit of length; `turns` and `places` are in the world."""

    names: tuple[str, ...]  # N, "" = the tip of a chain
    parents: tuple[int, ...]  # N, root -1
    rest: np.ndarray  # [N, 3] rest places
    rest_turns: np.ndarray  # [N, 3, 3] rest rotations
    turns: np.ndarray  # [T, N, 3, 3]
    places: np.ndarray  # [T, N, 3]
    fps: float

    def above(self, bone: int) -> list[int]:
        """A bone and all above it, up to the root."""
        chain = [bone]
        while self.parents[chain[-1]] >= 0:
            chain.append(self.parents[chain[-1]])
        return chain

    def below(self, bone: int) -> int | None:
        """The first bone that hangs below another."""
        return self.parents.index(bone) if bone in self.parents else None

    def turned(
        self,
        turn: np.ndarray,  # [3, 3]
    ) -> Performer:
        """The same in a world that is turned."""
        return replace(
            self,
            rest=self.rest @ turn.T,
            rest_turns=turn @ self.rest_turns,
            turns=turn @ self.turns,
            places=self.places @ turn.T,
        )


def standing(body: Performer, found: dict[Joint, int], up: bool = False) -> Performer:
    """The performer in a world with y up, at rest standing and facing +z.

    Some files have bones in no pose at all as their rest (all along one axis); the frame in which
    the performer stands most upright takes its place. `up`: y is known to be up.
    """
    if _stands(body.rest, found):
        body = body if up else body.turned(_to_y(_trunk(body.rest[None], found)[0]))
    else:
        if not up:
            body = body.turned(_to_y(np.median(unit(_trunk(body.places, found)), 0)))
        best = int(np.argmin(_effort(body.places, found)))
        body = replace(body, rest=body.places[best], rest_turns=body.turns[best])
    return body.turned(heading(body.rest, found).T)


def heading(
    rest: np.ndarray,  # [N, 3] places of somebody who stands, y up
    found: dict[Joint, int],
) -> np.ndarray:  # [3, 3]
    """The turn of somebody who stands: columns left, up, forward."""
    hips, shoulders = (unit(rest[found[a]] - rest[found[b]]) for a, b in (HIPS, SHOULDERS))
    left = unit((hips + shoulders) * (1, 0, 1))
    return np.stack([left, UP, np.cross(left, UP)], 1)


def leg_length(
    rest: np.ndarray,  # [N, 3]
    found: dict[Joint, int],
) -> float:
    """Thigh and shin, the mean of both sides."""
    hip, knee, ankle = (rest[[found[j] for j in pair]] for pair in (HIPS, KNEES, ANKLES))
    bones = np.linalg.norm([knee - hip, ankle - knee], axis=-1)
    return float(bones.sum(0).mean())


def _middle(places: np.ndarray, found: dict[Joint, int], pair: tuple[Joint, Joint]) -> np.ndarray:
    return places[..., [found[j] for j in pair], :].mean(-2)


def _trunk(places: np.ndarray, found: dict[Joint, int]) -> np.ndarray:  # [T, 3]
    """From the hips to the shoulders."""
    return _middle(places, found, SHOULDERS) - _middle(places, found, HIPS)


def _stands(rest: np.ndarray, found: dict[Joint, int]) -> bool:
    """Whether legs hang below a trunk, and left and right are beside it."""
    trunk, hips = _trunk(rest, found), rest[found[HIPS[0]]] - rest[found[HIPS[1]]]
    arms = rest[found[SHOULDERS[0]]] - rest[found[SHOULDERS[1]]]
    legs = np.stack([rest[found[a]] - rest[found[h]] for a, h in zip(ANKLES, HIPS, strict=True)])
    least = APART * leg_length(rest, found)
    if min(np.linalg.norm(v) for v in (trunk, hips, arms, *legs)) <= least:
        return False
    down = unit(legs) @ unit(trunk)
    aside = unit(hips) @ unit(trunk)
    return bool((down < OPPOSITE).all() and abs(aside) < UPRIGHT and unit(hips) @ unit(arms) > 0)


def _to_y(trunk: np.ndarray) -> np.ndarray:  # [3, 3]
    """The turn that brings the axis along which somebody stands to y."""
    axis = int(np.argmax(np.abs(trunk)))
    along = np.zeros(3)
    along[axis] = np.sign(trunk[axis])
    if along[1] < 0:
        return np.diag([1.0, -1.0, -1.0])
    return shortest_rotation(along, UP)


def _effort(places: np.ndarray, found: dict[Joint, int]) -> np.ndarray:  # [T]
    """How far from standing straight, with straight arms, a performer is in each frame."""
    total = 1 - unit(_trunk(places, found)) @ UP
    bones = [(HIPS, KNEES), (KNEES, ANKLES)]
    for side in range(2):
        for start, end in bones:
            total += 1 + unit(places[:, found[end[side]]] - places[:, found[start[side]]]) @ UP
        upper = places[:, found[ELBOWS[side]]] - places[:, found[SHOULDERS[side]]]
        hand = found.get(Joint.LEFT_WRIST if side == 0 else Joint.RIGHT_WRIST)
        if hand is not None:
            fore = places[:, hand] - places[:, found[ELBOWS[side]]]
            total += 1 - (unit(upper) * unit(fore)).sum(-1)
    return total
