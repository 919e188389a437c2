"""What limbs wear: where sleeves and trouser legs end, told by both sides of the body together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from svad.body.skeleton import ELBOWS, KNEES, SIDES
from svad.geometry.camera import Camera
from svad.relief.parts import Part

TIP = 2.0  # bones from a limb's root: hands and feet begin
STATION = 0.05  # bones, of the steps in which an end is sought
LAST = {"arm": TIP, "leg": 1.9}  # bones; feet in shoes would be cloth below bare shins
WELL = 0.7  # of a limb's stations that must be seen for it to differ from the other side's
TIP_SEEN = 80  # px of a hand that tell whether it is bare
BARE = 0.4  # share of skin from which on a hand has no glove
NEIGHBOURS = 4  # pixels that a colour is taken from


@dataclass(frozen=True)
class Seen:
    """Pixels that show limbs of one kind, and nothing else."""

    place: np.ndarray  # [P, 2] bones along the limb from its root, and across, as on a left limb
    rgb: np.ndarray  # [P, 3] 0..1
    bare: np.ndarray  # [P] bool, skin-coloured

    def select(self, index: np.ndarray) -> Seen:  # [P] bool
        """Some of them."""
        return Seen(self.place[index], self.rgb[index], self.bare[index])

    def at(self, place: np.ndarray) -> np.ndarray:  # [Q, 2] -> [Q, 3] 0..1
        """The colours nearest to places on the limb."""
        near = cKDTree(self.place).query(place, k=min(NEIGHBOURS, len(self.rgb)), workers=-1)[1]
        return self.rgb[near.reshape(len(place), -1)].mean(1)


@dataclass(frozen=True)
class View:
    """One limb, or half of it, in a box of the photo."""

    part: Part
    box: tuple[slice, slice]  # rows and columns
    near: np.ndarray  # [h, w] metres
    sure: np.ndarray  # [h, w] bool, pixels that show it and nothing else


@dataclass(frozen=True)
class Worn:
    """What one layer of a limb wears."""

    place: np.ndarray  # [h, w, 2] bones along the limb and across it, in the layer's box
    end: float  # bones from the root: clothes end, skin begins
    gloved: bool  # hand or foot are not bare, or not known to be
    own: Seen  # what this layer shows
    others: Seen  # what other layers of this limb and of the other side's show

    def showing(self, *, cloth: bool) -> Seen:
        """What all layers show of such limbs' cloth, or of their skin."""
        seen = _joined([self.own, self.others])
        return seen.select((self.is_cloth(seen.place[:, 0]) == cloth) & (seen.bare != cloth))

    def is_cloth(
        self,
        along: np.ndarray,  # [...] bones from the root
    ) -> np.ndarray:  # [...] bool
        """Whether there is a sleeve, trouser leg, glove or shoe, or else skin."""
        return (along < self.end) | ((along >= TIP) & self.gloved)

    @property
    def clothed(self) -> np.ndarray:  # [h, w] bool
        """Under a sleeve or a trouser leg."""
        return (self.place[..., 0] < self.end) & ~self.tip

    @property
    def tip(self) -> np.ndarray:  # [h, w] bool
        """A glove or a shoe."""
        return (self.place[..., 0] >= TIP) & self.gloved

    @property
    def naked(self) -> np.ndarray:  # [h, w] bool
        """Bare as far as the wrist or ankle."""
        return (self.place[..., 0] >= self.end) & (self.place[..., 0] < TIP)


def limbs_worn(
    views: dict[int, View],  # by the number of the layer or part
    rgb: np.ndarray,  # [H, W, 3] the photo
    skin: np.ndarray | None,  # [H, W] bool, skin-coloured; None = no face was found
    hands: np.ndarray,  # [H, W] bool, where hands were found
    camera: Camera,
    joints: np.ndarray,  # [55, 3] posed
) -> dict[int, Worn]:  # of arms and legs
    """All around a limb a place has one material, and both sides wear the same.

    Each side has an end of its own only where both are well seen. Hands that were not found tell
    nothing of gloves.
    """
    out = {}
    for kind, last in LAST.items():
        mine = {i: view for i, view in views.items() if f"_{kind}" in view.part.name}
        places = {i: limb_places(view, camera, joints) for i, view in mine.items()}
        seen = {i: _seen(view, places[i], rgb, skin) for i, view in mine.items()}
        side = {i: view.part.name.partition("_")[0] for i, view in mine.items()}
        sides: dict[str, Seen] = {
            one: _joined([seen[i] for i in mine if side[i] == one]) for one in SIDES
        }
        tips = [_tip(v, places[i], skin, hands | (kind == "leg")) for i, v in mine.items()]
        ends = _ends(sides, last) if skin is not None else dict.fromkeys(sides, TIP)
        for i in mine:
            others = _joined([seen[j] for j in mine if j != i])
            gloved = skin is None or _gloved(tips)
            out[i] = Worn(places[i], ends[side[i]], gloved, seen[i], others)
    return out


def hand_colour(
    arms: Sequence[Worn],
    face_rgb: np.ndarray | None,  # [3] the face's colour
) -> np.ndarray | None:  # [3]
    """The colour of hidden hands that are bare; None = they wear gloves.

    Half that of the hand which is seen, whose small piece may be in a light of its own, half the
    face's.
    """
    if any(one.gloved for one in arms):
        return None
    seen = _joined([one.others for one in arms])
    seen = seen.select(seen.bare & (seen.place[:, 0] >= TIP))
    if len(seen.rgb) < TIP_SEEN:
        return face_rgb
    hand = np.median(seen.rgb, 0)
    return hand if face_rgb is None else (hand + face_rgb) / 2


def arm_skin(
    arms: Sequence[Worn],
    face_rgb: np.ndarray | None,  # [3] the face's colour
) -> np.ndarray | None:  # [3]
    """The colour of a person's bare arms: one may be in the shade and one in the sun.

    Every piece of an arm and the face count the same, however much is seen of them. None = no arm
    is bare, or no face was found.
    """
    if face_rgb is None:
        return None
    seen = [one.own.select(one.own.bare & ~one.is_cloth(one.own.place[:, 0])) for one in arms]
    tones = [np.median(skin.rgb, 0) for skin in seen if len(skin.rgb) >= TIP_SEEN]
    return np.median([face_rgb, *tones], 0) if tones else None


def limb_places(
    view: View,
    camera: Camera,
    joints: np.ndarray,  # [55, 3] posed
) -> np.ndarray:  # [h, w, 2]
    """Where on the limb each pixel lies."""
    y, x = np.mgrid[view.box].astype(np.float32) + 0.5
    xyz = camera.unproject(np.stack([x, y, view.near], -1))
    return places_on(view.part, xyz, camera, joints)


def places_on(
    part: Part,
    xyz: np.ndarray,  # [..., 3] world, in the photo's pose
    camera: Camera,
    joints: np.ndarray,  # [55, 3] posed
) -> np.ndarray:  # [..., 2]
    """How far out on a limb points lie, in bones, and how far beside the bone.

    Places of the right limb are those of the left one in a mirror.
    """
    mirrored = -1 if part.name.startswith("right") else 1
    out, reached = np.zeros((*xyz.shape[:-1], 2), np.float32), 0.0
    for k, (start, end) in enumerate(part.bones):
        axis = joints[end] - joints[start]
        length = float(np.linalg.norm(axis))
        aside = np.cross(axis, camera.rotation[2])
        aside = mirrored * aside / max(float(np.linalg.norm(aside)), 1e-6)
        along = (xyz - joints[start]) @ axis / length**2
        root = int(start in (*ELBOWS, *KNEES))
        here = np.stack([root + along, (xyz - joints[start]) @ aside / length], -1)
        beyond = (out[..., 0] - root) * reached + along * length > 0
        out = here if k == 0 else np.where(beyond[..., None], here, out)
        reached = length
    return out


def clothes_end(
    seen: Sequence[Seen],
    last: float,  # bones from the root, up to which skin and cloth are told apart
) -> float:  # bones from the root
    """The one station that leaves least skin before it and least cloth beyond it.

    Where nothing is seen between cloth and skin it lies in the middle; clothes that no skin is seen
    beyond of go on to the hand or foot.
    """
    cloth, bare = np.sum([_evidence(side, last) for side in seen], 0)
    right = np.concatenate([[0], np.cumsum(cloth)]) + np.concatenate(
        [np.cumsum(bare[::-1])[::-1], [0]]
    )
    best = np.flatnonzero(right > right.max() - 1e-6)
    if best[-1] == len(cloth):
        return TIP
    return 0.0 if best[0] == 0 else STATION * (best[0] + best[-1]) / 2


def _ends(sides: dict[str, Seen], last: float) -> dict[str, float]:
    """Of each side."""
    well = [np.mean(np.add(*_evidence(seen, last)) > 0.5) > WELL for seen in sides.values()]
    if all(well):
        return {side: clothes_end([seen], last) for side, seen in sides.items()}
    return dict.fromkeys(sides, clothes_end(list(sides.values()), last))


def _evidence(seen: Seen, last: float) -> tuple[np.ndarray, np.ndarray]:  # [S], [S] 0..1
    """How far each station is known to be clothed, to be bare."""
    count = round(last / STATION)
    at = np.floor(seen.place[:, 0] / STATION).astype(int)
    framed = (at >= 0) & (at < count)
    total = np.bincount(at[framed], minlength=count)
    bare = np.bincount(at[framed & seen.bare], minlength=count)
    enough = float(np.median(total[total > 0])) if total.any() else 1.0
    sure = np.minimum(total / enough, 1) / np.maximum(total, 1)
    return sure * (total - bare), sure * bare


def _tip(
    view: View,
    place: np.ndarray,  # [h, w, 2]
    skin: np.ndarray | None,  # [H, W] bool
    found: np.ndarray,  # [H, W] bool
) -> np.ndarray:  # [P] bool
    """Which pixels of a hand or foot are bare."""
    tip = view.sure & found[view.box] & (place[..., 0] >= TIP)
    return tip[tip] if skin is None else skin[view.box][tip]


def _gloved(tips: Sequence[np.ndarray]) -> bool:  # [P] bool each
    """Whether hands or feet that are seen are not bare; gloves and shoes come in pairs."""
    shares = [float(bare.mean()) for bare in tips if len(bare) >= TIP_SEEN]
    return bool(shares) and max(shares) < BARE


def _seen(
    view: View,
    place: np.ndarray,  # [h, w, 2]
    rgb: np.ndarray,  # [H, W, 3]
    skin: np.ndarray | None,  # [H, W] bool
) -> Seen:
    """What shows the limb from its root joint on; before that it may be the trunk."""
    sure = view.sure & (place[..., 0] >= 0)
    bare = np.zeros(sure.shape, bool) if skin is None else skin[view.box]
    return Seen(place[sure], rgb[view.box][sure], bare[sure])


def _joined(parts: Sequence[Seen]) -> Seen:
    if not parts:
        return Seen(np.zeros((0, 2)), np.zeros((0, 3)), np.zeros(0, bool))
    columns = zip(*((s.place, s.rgb, s.bare) for s in parts), strict=True)
    return Seen(*(np.concatenate(column) for column in columns))
