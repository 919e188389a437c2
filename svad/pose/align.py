"""Gives the figures of a driving clip the proportions and the place of the person in the photo.

SVAD (arXiv 2505.05475) section 3.1, equations 2 and 3, with nine scales as the published code has.
All arithmetic is isotropic: x is multiplied by width / height, the unit is one picture height.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from svad.pose.keypoints import (
    ARMS,
    EARS,
    EYES,
    FINGER_ROOTS,
    HIPS,
    LEGS,
    MISSING,
    SHOULDERS,
    Figure,
    OpenPose,
)

LIMITS = (0.4, 2.5)  # a scale beyond these is a detection error rather than a person

# scale -> joint pairs it is measured on; of two pairs the mean is taken (left and right)
PAIRS: dict[str, tuple[tuple[int, int], ...]] = {
    "neck": ((OpenPose.NOSE, OpenPose.NECK),),
    "face": (EARS,),
    "shoulder": (SHOULDERS,),
    "arm_upper": tuple((shoulder, elbow) for shoulder, elbow, _ in ARMS),
    "arm_lower": tuple((elbow, wrist) for _, elbow, wrist in ARMS),
    "leg_upper": tuple((hip, knee) for hip, knee, _ in LEGS),
    "leg_lower": tuple((knee, ankle) for _, knee, ankle in LEGS),
}
# (scale, anchor, children), parents before children
TREE: tuple[tuple[str, int, tuple[int, ...]], ...] = (
    ("neck", OpenPose.NECK, (OpenPose.NOSE,)),
    ("face", OpenPose.NOSE, (*EYES, *EARS)),
    ("shoulder", OpenPose.NECK, SHOULDERS),
    *(("arm_upper", shoulder, (elbow,)) for shoulder, elbow, _ in ARMS),
    *(("arm_lower", elbow, (wrist,)) for _, elbow, wrist in ARMS),
    ("body_len", OpenPose.NECK, HIPS),
    *(("leg_upper", hip, (knee,)) for hip, knee, _ in LEGS),
    *(("leg_lower", knee, (ankle,)) for _, knee, ankle in LEGS),
)
HAND_ANCHORS = (OpenPose.LEFT_WRIST, OpenPose.RIGHT_WRIST)  # of the left and the right hand


@dataclass(frozen=True)
class PartScales:
    """Size of each part in the photo over its size in the clip."""

    neck: float
    face: float
    shoulder: float
    arm_upper: float
    arm_lower: float
    hand: float
    body_len: float
    leg_upper: float
    leg_lower: float


@dataclass(frozen=True)
class Alignment:
    """A clip's figures brought to the person."""

    figures: tuple[Figure, ...]  # normalised to the reference picture
    scales: PartScales
    warnings: tuple[str, ...]  # sentences for the person


def align(
    reference: Figure,
    frames: Sequence[Figure],
    *,
    align_frame: int | None = None,
    max_frame: int | None = None,
    strict: bool = False,
) -> Alignment:
    """Bring frames `align_frame` .. `max_frame` (exclusive) to the reference's proportions.

    Scales and offset come from frame `align_frame` alone; None takes them from the most frontal
    frame and leaves no frame out. `strict` copies the published code, its quirks with missing
    points included; otherwise unseen points and absurd scales are kept out. Raises ValueError for
    a frame that does not exist.
    """
    first = align_frame or 0
    chosen = frames[first:max_frame]
    if not chosen:
        raise ValueError(f"no frame from {first} to {max_frame} in a clip of {len(frames)} frames")
    method = PUBLISHED if strict else IMPROVED
    start = chosen[0 if align_frame is not None else method.start(chosen)]
    scales, warnings = measure_scales(reference, start, method)
    offset = _isotropic(reference)[0][OpenPose.NECK] - _isotropic(start)[0][OpenPose.NECK]
    figures = tuple(method.placed(f, scales, offset, reference.aspect) for f in chosen)
    return Alignment(figures, scales, warnings)


def frontal_frame(frames: Sequence[Figure]) -> int:
    """The frame with the widest shoulders for its trunk that shows the person from the front."""

    def openness(figure: Figure) -> float:
        body = _isotropic(figure)[0]
        trunk = np.linalg.norm(body[OpenPose.NECK] - body[list(HIPS)].mean(0))
        # the person's left is on the right: negative from behind
        width = body[OpenPose.LEFT_SHOULDER, 0] - body[OpenPose.RIGHT_SHOULDER, 0]
        seen = figure.body_seen[[OpenPose.NECK, *SHOULDERS, *HIPS]].all()
        return float(width / max(trunk, 1e-6)) if seen else -np.inf

    return int(np.argmax([openness(f) for f in frames]))


def measure_scales(
    reference: Figure,
    frame: Figure,
    method: Method,
) -> tuple[PartScales, tuple[str, ...]]:
    """The nine scales from one frame of the clip, and what had to be guessed, in sentences.

    A part of no length in both pictures has scale 1. A side with an unseen joint is left out; what
    then is unknown or absurd is the method's to complete.
    """
    reference, frame = method.measured(reference), method.measured(frame)
    ref, src = _isotropic(reference)[0], _isotropic(frame)[0]
    seen = reference.body_seen & frame.body_seen

    def ratio(a: int, b: int) -> float:
        return _divide(np.linalg.norm(ref[a] - ref[b]), np.linalg.norm(src[a] - src[b]))

    found: dict[str, float] = {}
    for name, pairs in PAIRS.items():
        good = [ratio(a, b) for a, b in pairs if seen[a] and seen[b]]
        if good:
            found[name] = float(np.mean(good))
    hips = [j for j in HIPS if seen[j]]
    if hips and seen[OpenPose.NECK]:
        trunks = [np.linalg.norm(p[OpenPose.NECK] - p[hips].mean(0)) for p in (ref, src)]
        found["body_len"] = _divide(*trunks)
    parts = [found[name] for name in ("arm_upper", "arm_lower") if name in found]
    fingers = _finger_ratios(reference, frame)
    if fingers:
        parts.insert(0, float(np.mean(fingers)))
    if parts:
        found["hand"] = float(np.mean(parts))
    found = {name: 1.0 if np.isnan(value) else value for name, value in found.items()}
    return method.completed(found)


def _plausible(found: dict[str, float]) -> tuple[PartScales, tuple[str, ...]]:
    """Clamps what is out of proportion and fills what is unknown with the mean of the rest."""
    names = tuple(PartScales.__dataclass_fields__)
    finite = {name: value for name, value in found.items() if np.isfinite(value)}
    clamped = {name: float(np.clip(value, *LIMITS)) for name, value in finite.items()}
    warnings = []
    wild = [name for name in names if name in finite and clamped[name] != finite[name]]
    if wild:
        warnings.append(f"Out of proportion with the driving figure, so limited: {_words(wild)}.")
    unknown = [name for name in names if name not in clamped]
    if unknown:
        warnings.append(f"Not seen well enough, so guessed from the rest: {_words(unknown)}.")
    mean = float(np.mean(list(clamped.values()))) if clamped else 1.0
    return PartScales(**dict.fromkeys(unknown, mean), **clamped), tuple(warnings)


def _words(names: Sequence[str]) -> str:
    words = {"body_len": "trunk", "arm_upper": "upper arms", "arm_lower": "forearms"}
    words |= {"leg_upper": "thighs", "leg_lower": "lower legs"}
    return ", ".join(words.get(name, name) for name in names)


def _finger_ratios(reference: Figure, frame: Figure) -> list[float]:
    """Ratios of wrist to finger root, of both hands; roots of no length in the clip left out."""
    ref, src = (_isotropic(figure)[1] for figure in (reference, frame))
    seen = reference.hands_seen & frame.hands_seen
    ratios = []
    for hand in (0, 1):
        for root in FINGER_ROOTS:
            length = np.linalg.norm(src[hand, root] - src[hand, 0])
            if length > 0 and seen[hand, root] and seen[hand, 0]:
                ratios.append(float(np.linalg.norm(ref[hand, root] - ref[hand, 0]) / length))
    return ratios


def _figure(figure: Figure, scales: PartScales, offset: np.ndarray, aspect: float) -> Figure:
    """One frame with new proportions, in the reference picture; masks stay."""
    body, hands, face = _reshaped(figure, asdict(scales))
    body, hands, face = ((points + offset) / (aspect, 1.0) for points in (body, hands, face))
    return replace(figure, body=body, hands=hands, face=face, aspect=aspect)


def _published_figure(
    figure: Figure, scales: PartScales, offset: np.ndarray, aspect: float
) -> Figure:
    """As published: unseen hand and face points stand at -1 plus the offset, and no mask tells."""
    moved = _figure(figure, scales, offset, aspect)
    lost = (MISSING + offset) / (aspect, 1.0)
    return replace(
        moved,
        hands=np.where(figure.hands_seen[..., None], moved.hands, lost),
        face=np.where(figure.face_seen[..., None], moved.face, lost),
        hands_seen=np.ones_like(figure.hands_seen),
        face_seen=np.ones_like(figure.face_seen),
    )


def _reshaped(
    figure: Figure, scales: dict[str, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Isotropic body, hands and face with every part scaled from its anchor outward."""
    old, old_hands, face = _isotropic(figure)
    new, hands = old.copy(), old_hands.copy()
    for name, anchor, children in TREE:
        ids = list(children)
        new[ids] = new[anchor] + scales[name] * (old[ids] - old[anchor])
    for hand, wrist in enumerate(HAND_ANCHORS):
        hands[hand] = new[wrist] + scales["hand"] * (old_hands[hand] - old[wrist])
    return new, hands, face


def _isotropic(figure: Figure) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Body, hands and face in picture heights."""
    stretch = np.array([figure.aspect, 1.0])
    return figure.body * stretch, figure.hands * stretch, figure.face * stretch


def _all_seen(figure: Figure) -> Figure:
    """As published: what is not seen counts like the rest, and unseen points of hands are at -1."""
    return replace(
        figure,
        hands=np.where(figure.hands_seen[..., None], figure.hands, MISSING),
        body_seen=np.ones_like(figure.body_seen),
        hands_seen=np.ones_like(figure.hands_seen),
    )


def _divide(a: float | np.floating, b: float | np.floating) -> float:
    """a / b with 0 / 0 = nan and a / 0 = inf."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(a) / np.float64(b))


@dataclass(frozen=True)
class Method:
    """What differs between one way to align and another."""

    start: Callable[[Sequence[Figure]], int]  # the frame that scales and offset are taken from
    measured: Callable[[Figure], Figure]  # a figure as its lengths are measured
    completed: Callable[[dict[str, float]], tuple[PartScales, tuple[str, ...]]]
    placed: Callable[[Figure, PartScales, np.ndarray, float], Figure]  # scales, offset, aspect


IMPROVED = Method(
    start=frontal_frame,
    measured=lambda figure: figure,
    completed=_plausible,
    placed=_figure,
)
PUBLISHED = Method(
    start=lambda frames: 0,
    measured=_all_seen,
    completed=lambda found: (PartScales(**found), ()),
    placed=_published_figure,
)
