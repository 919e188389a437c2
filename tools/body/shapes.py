"""Draws random adults from the MakeHuman targets and finds the directions they differ in."""

from __future__ import annotations

import numpy as np

from tools.body.makehuman import AGES, MUSCLES, RACES, WEIGHTS, Source
from tools.body.tpose import Rig, to_tpose

# Pairs that shift one part sideways (they make a body crooked), and one below the clothes.
CROOKED = tuple(f"{p}/{p}-trans-in-out" for p in ("hip", "head", "torso", "neck", "nose", "mouth"))
SKIPPED_PAIRS = (*CROOKED, "pelvis/bulge-decr-incr")
PAIR_SPREAD = 0.12  # standard deviation of a pair's coefficient
PAIR_STATURE = 0.004  # metres of stature one standard deviation of a pair may change
HEIGHT_BETA = 50.0  # height ~ Beta(50, 50): stature spread about 0.08 m over both genders


def phenotype(
    source: Source,
    *,
    gender: float,  # 0 female, 1 male
    age: float,  # 0 child, 0.5 young, 1 old
    muscle: float,  # 0..1
    weight: float,  # 0..1
    height: float,  # 0..1
    proportions: float,  # 0..1, 1 = ideal
    cup: float,  # 0..1
    race: np.ndarray,  # [3] sums to 1
) -> np.ndarray:  # [M] coefficients of the targets
    """Coefficients of the macro targets: for each, the product of its factors."""
    factor = {"female": 1 - gender, "male": gender}
    factor |= dict(zip(AGES, _tent(age), strict=True))
    factor |= dict(zip(MUSCLES, _tent(muscle), strict=True))
    factor |= dict(zip(WEIGHTS, _tent(weight), strict=True))
    factor |= dict(zip(("mincup", "averagecup", "maxcup"), _tent(cup), strict=True))
    factor |= dict(zip(RACES, race, strict=True))
    # half of both extremes at 0.5 would give an average 18 cm too tall, hence one side at a time
    factor |= {"maxheight": max(0, 2 * height - 1), "minheight": max(0, 1 - 2 * height)}
    factor |= {
        "idealproportions": max(0, 2 * proportions - 1),
        "uncommonproportions": max(0, 1 - 2 * proportions),
    }
    coefficients = np.zeros(len(source.targets))
    for names, row in source.macros.items():
        coefficients[row] = np.prod([factor[name] for name in names])
    return coefficients


def _tent(x: float) -> tuple[float, float, float]:
    """Shares of min, middle and max for x in [0, 1]."""
    return max(0.0, 1 - 2 * x), 1 - abs(2 * x - 1), max(0.0, 2 * x - 1)


def mean_person(
    source: Source,
    gender: float,  # 0 female, 1 male
    cup: float = 0.0,  # 0..1
) -> np.ndarray:  # [M]
    """Coefficients of an average young adult."""
    third = np.full(3, 1 / 3)
    return phenotype(
        source, gender=gender, age=0.6, muscle=0.5, weight=0.45, height=0.5, proportions=0.5,
        cup=cup, race=third,
    )  # fmt: skip


def random_people(
    source: Source,
    count: int,
    seed: int = 0,
) -> np.ndarray:  # [count, M]
    """Target coefficients of random adults, left and right equal."""
    rng = np.random.default_rng(seed)
    spreads = _pair_spreads(source)
    people = np.zeros((count, len(source.targets)))
    for person in people:
        gender = rng.uniform()
        person += phenotype(
            source,
            gender=gender,
            age=rng.uniform(0.5, 0.95),
            muscle=rng.beta(2, 2),
            weight=rng.beta(2, 2.5),
            height=rng.beta(HEIGHT_BETA, HEIGHT_BETA),
            proportions=rng.uniform(),
            cup=rng.beta(2, 2) * max(0.0, 1 - 2 * gender),  # none on male and neutral bodies
            race=rng.dirichlet(np.full(3, 0.7)),
        )
        for (_, negative, positive), spread in zip(source.pairs, spreads, strict=True):
            value = rng.normal() * spread
            person[list(positive if value > 0 else negative)] = abs(value)
    return people


def _pair_spreads(source: Source) -> np.ndarray:
    """Standard deviation of every pair's coefficient: less for those that change the stature."""
    top = source.points[: source.surface, 1].argmax()
    bottom = source.points[: source.surface, 1].argmin()
    spreads = np.full(len(source.pairs), PAIR_SPREAD)
    for i, (name, negative, positive) in enumerate(source.pairs):
        rise = source.targets[list(positive)].sum(0) - source.targets[list(negative)].sum(0)
        stature = abs(rise[top, 1] - rise[bottom, 1]) / 2  # metres per unit coefficient
        spreads[i] = min(PAIR_SPREAD, PAIR_STATURE / max(stature, 1e-9))
        if name in SKIPPED_PAIRS:
            spreads[i] = 0.0
    return spreads


def pose_people(
    source: Source,
    rig: Rig,
    people: np.ndarray,  # [N, M]
) -> tuple[np.ndarray, np.ndarray]:  # vertices [N, V, 3] float32, joints [N, 55, 3]
    """The T-posed bodies of target coefficients."""
    flat = source.targets.reshape(len(source.targets), -1)
    vertices = np.empty((len(people), source.surface, 3), np.float32)
    joints = np.empty((len(people), 55, 3))
    for i, person in enumerate(people):
        used = np.flatnonzero(person)
        points = source.points + (person[used] @ flat[used]).reshape(-1, 3)
        vertices[i], joints[i] = to_tpose(points, rig)
    return vertices, joints


def principal_directions(
    vertices: np.ndarray,  # [N, V, 3] float32
    count: int,
) -> tuple[np.ndarray, np.ndarray]:  # directions [V, 3, count], share of variance [count]
    """Unit principal directions times standard deviation, so coefficients are unit normal."""
    flat = vertices.reshape(len(vertices), -1)
    flat = flat - flat.mean(0)
    gram = (flat @ flat.T).astype(np.float64)
    values, vectors = np.linalg.eigh(gram)
    order = values.argsort()[::-1][:count]
    directions = (vectors[:, order].T.astype(np.float32) @ flat) / np.sqrt(len(flat) - 1)
    # an eigenvector's sign is arbitrary: the largest entry of each is made positive
    peak = np.abs(directions).argmax(1)
    directions *= np.sign(directions[np.arange(count), peak])[:, None]
    share = values[order] / values.sum()
    return directions.reshape(count, -1, 3).transpose(1, 2, 0), share
