"""The example people: body, pose, face, hair and clothes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tools.examples import knitted, styles, woven
from tools.examples.builds import BUILDS_FILE
from tools.examples.dressing import Outfit
from tools.examples.figure import Figure, girth_direction, make_figure
from tools.examples.hair import Head, Style, beard, brows, grow, growth, lashes
from tools.examples.picture import Backdrop, Piece
from tools.examples.skin import Tone, bare_body, eyes
from tools.examples.strands import ribbons

SMILE = {
    "mouthSmileLeft": 0.6, "mouthSmileRight": 0.6, "cheekSquintLeft": 0.18,
    "cheekSquintRight": 0.18, "eyeBlinkLeft": 0.13, "eyeBlinkRight": 0.13, "browInnerUp": 0.15,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Person:
    """Everything that makes one example."""

    name: str  # folder
    title: str
    shows: str  # one sentence
    tone: Tone
    style: Style
    hair: tuple[str, str]  # sRGB hex, dark and light strands
    brow: tuple[str, str]
    beard: Style | None = None
    outfit: Callable[[Figure, int], Outfit]
    heel: float  # metres, soles of the shoes
    backdrop: Backdrop
    turns: dict[str, tuple[float, float, float]]  # degrees added to the A-pose
    expression: dict[str, float] = field(default_factory=lambda: dict(SMILE))
    lash: float = 0.006
    fill: float = 0.78  # height of the person in the picture
    width: int = 760  # px
    height: int = 1080
    seed: int = 0
    first: bool = False
    build: dict[str, float] = field(default_factory=dict)  # shares of others' builds; {} = own
    fuller: float = 0.0  # metres that the belly is farther out


def bare_figure(person: Person) -> Figure:
    """The posed body of a person."""
    builds = json.loads(BUILDS_FILE.read_text("utf-8"))
    shares = person.build or {person.name: 1.0}
    betas = np.sum([share * np.array(builds[name]) for name, share in shares.items()], axis=0)
    if person.fuller:
        betas = betas + person.fuller * girth_direction()
    return make_figure(betas, person.turns, person.expression, person.heel)


def build(
    person: Person,
    figure: Figure,
    eye: np.ndarray,  # [3] the camera
    detail: int = 1,  # subdivisions of skin and cloth
    dressed: bool = True,
) -> list[Piece]:
    """All geometry of a person."""
    rng = np.random.default_rng(person.seed + 5)
    head = Head(figure)
    hair = grow(head, person.style, head.field(), rng)
    nothing = Outfit([], np.zeros(len(figure.vertices), bool))
    clothes = person.outfit(figure, detail) if dressed else nothing
    pieces = bare_body(
        figure, person.tone, growth(head, person.style), person.hair[0], clothes.hidden, detail
    )
    pieces += eyes(figure, person.tone, eye)
    pieces += clothes.pieces
    if person.beard is not None:
        whiskers = grow(head, person.beard, head.field(), rng, beard(head))
        pieces.append(ribbons(whiskers, eye, person.brow, "beard"))
    pieces += [
        ribbons(hair, eye, person.hair, "hair"),
        ribbons(brows(head, rng), eye, person.brow, "brows", gloss=0.05),
        ribbons(
            lashes(head, rng, length=person.lash), eye, ("080505", "140c0a"), "lashes", gloss=0
        ),
    ]
    return pieces


def _arms(left: float, right: float) -> dict[str, tuple[float, float, float]]:
    """Arms lowered from the A-pose by so many degrees."""
    return {"left_shoulder": (0, 0, -left), "right_shoulder": (0, 0, right)}


ADA = Person(
    name="ada",
    title="Ada, in a summer dress",
    shows="A young woman with dark curls, a yellow flowered dress and canvas shoes.",
    tone=Tone(
        base="bd8868", blush="ae5a45", lips="a94f49", palm="cf9d80", iris="6b4423",
        iris_rim="1e120a", blush_amount=0.55, freckles=0.45, lid="6b3a2a", lid_amount=0.22,
        nails="b8685f",
    ),
    style=styles.CURLY,
    hair=("170c08", "4a2c1c"),
    brow=("1c100b", "35211a"),
    outfit=woven.sunny_dress,
    heel=0.018,
    backdrop=Backdrop((0.66, 0.74, 0.76), (0.50, 0.59, 0.62), (0.53, 0.61, 0.63)),
    turns={
        **_arms(13, 15), "head": (1, 7, -3), "pelvis": (0, 5, 0), "left_elbow": (0, -8, 0),
        "left_hip": (-3, 4, 1), "left_knee": (6, 0, 0),
    },
    lash=0.008,
    first=True,
)  # fmt: skip

DAYO = Person(
    name="dayo",
    title="Dayo, in shirt and jeans",
    shows="A tall man with short hair, a checked shirt with rolled sleeves, jeans and boots.",
    tone=Tone(
        base="6b4430", blush="6a3024", lips="7a4238", palm="a97f64", iris="4a2c18",
        iris_rim="140b06", blush_amount=0.5, stubble=0.5, stubble_colour="1a1210", lid="2a1610",
        lid_amount=0.2, gloss=0.6, nails="a87c68",
    ),
    style=styles.SHORT_AFRO,
    hair=("0c0908", "2a211d"),
    brow=("0c0908", "1c1512"),
    outfit=woven.shirt_and_jeans,
    heel=0.026,
    backdrop=Backdrop((0.80, 0.76, 0.70), (0.66, 0.61, 0.55), (0.68, 0.63, 0.57)),
    turns={**_arms(14, 12), "head": (0, -6, 2), "pelvis": (0, -4, 0), "right_elbow": (0, 6, 0)},
    lash=0.005,
    fill=0.80,
    seed=1,
)  # fmt: skip

GRETA = Person(
    name="greta",
    title="Greta, in a cardigan",
    shows="An older woman with a grey bob, glasses, a knitted cardigan, trousers and loafers.",
    tone=Tone(
        base="d9ab90", blush="c8705e", lips="b8605c", palm="e0b29c", iris="5f7f98",
        iris_rim="26384a", blush_amount=0.65, spots=0.12, lid="8a5a50", lid_amount=0.14,
        nails="b84f58", brow="8f857d",
    ),
    style=styles.BOB,
    hair=("77726f", "cfcac5"),
    brow=("6a605a", "8f857d"),
    outfit=knitted.cardigan_and_trousers,
    heel=0.020,
    backdrop=Backdrop((0.70, 0.74, 0.67), (0.56, 0.60, 0.53), (0.58, 0.62, 0.55)),
    fill=0.75,
    turns={**_arms(12, 13), "head": (2, 5, 2), "pelvis": (0, 3, 0), "right_elbow": (0, 8, 0)},
    seed=2,
)  # fmt: skip

KENJI = Person(
    name="kenji",
    title="Kenji, in a hoodie",
    shows="A slim young man with cropped black hair, a hoodie, cargo shorts and trainers.",
    tone=Tone(
        base="cb9b7b", blush="bd6b55", lips="b06a5e", palm="d8ab90", iris="3d2616",
        iris_rim="120a06", blush_amount=0.45, stubble=0.08, lid="8a5a44", lid_amount=0.12,
        nails="d49c8a",
    ),
    style=styles.CROP,
    hair=("0b0a0c", "33302f"),
    brow=("120f10", "2a2524"),
    outfit=knitted.hoodie_and_shorts,
    heel=0.028,
    backdrop=Backdrop((0.79, 0.71, 0.68), (0.65, 0.56, 0.53), (0.67, 0.58, 0.55)),
    turns={
        **_arms(11, 14), "head": (1, -5, -2), "pelvis": (0, -6, 0), "right_hip": (-4, -5, -1),
        "right_knee": (7, 0, 0),
    },
    expression=SMILE | {
        "eyeBlinkLeft": 0.0, "eyeBlinkRight": 0.0, "eyeWideLeft": 0.08, "eyeWideRight": 0.08,
        "browInnerUp": 0.0, "cheekSquintLeft": 0.0, "cheekSquintRight": 0.0,
    },
    lash=0.005,
    fill=0.78,
    seed=3,
)  # fmt: skip

PEOPLE: dict[str, Person] = {p.name: p for p in (ADA, DAYO, GRETA, KENJI)}
