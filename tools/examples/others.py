"""More people: long coat, open jacket, long skirt, big hair, beard, headscarf, bag.

Their builds are between those of the first four. Two of them are examples, too.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tools.examples import fabrics, layered, styles
from tools.examples.accessories import glasses
from tools.examples.carried import headscarf, shoulder_bag
from tools.examples.dressing import Outfit
from tools.examples.figure import Figure
from tools.examples.people import ADA, DAYO, GRETA, KENJI, PEOPLE, Person
from tools.examples.picture import Backdrop
from tools.examples.tailor import Garment


def _with_bag(figure: Figure, detail: int) -> Outfit:
    """A blue shirt and grey trousers, glasses, a brown bag across."""
    outfit = layered.shirt_and_trousers(figure, detail, "3f5f8a", "4a4b50")
    shirt = next(p for p in outfit.pieces if p.name == "shirt")
    cloth = Garment(
        vertices=shirt.vertices, faces=shirt.faces, flat=shirt.vertices, rest=shirt.vertices
    )
    leather = fabrics.cloth("6b4226", thread=0.0, roughness=0.5, sheen=0.1, hem=0, creases=0.0004)
    strap = fabrics.cloth("4a2d1b", thread=0.1, hem=0.0, creases=0.0)
    more = [
        *shoulder_bag(figure, cloth, leather, strap),
        *glasses(figure, fabrics.plain("1c1a1a", 0.3, 0.9)),
    ]
    return Outfit(outfit.pieces + more, outfit.hidden)


def _with_scarf(figure: Figure, detail: int) -> Outfit:
    """A white blouse, a long skirt, a scarf round the head."""
    outfit = layered.blouse_and_long_skirt(figure, detail, "5a3d63", None, "e9dfd0")
    look = fabrics.cloth("9c5a6a", thread=0.04, sheen=0.5, hem=0.012, creases=0.0012)
    return Outfit(outfit.pieces + headscarf(figure, look), outfit.hidden)


LENA = replace(
    GRETA,
    name="lena",
    title="Lena, in a long coat",
    shows="A woman with a red bob, a belted camel coat down to the shins and boots.",
    build={"greta": 0.45, "ada": 0.55},
    tone=replace(GRETA.tone, base="e0b79f", spots=0.0, freckles=0.3, iris="4a6b52", brow="6b4a30"),
    hair=("5a3018", "a8683a"),
    brow=("4a2a18", "6b4428"),
    outfit=layered.long_coat,
    heel=0.024,
    seed=11,
)
RUBEN = replace(
    KENJI,
    name="ruben",
    title="Ruben, in an open jacket",
    shows="A young man with a red jacket open over a grey shirt, black jeans, white trainers.",
    build={"kenji": 0.45, "dayo": 0.55},
    tone=replace(KENJI.tone, base="b98a68", stubble=0.35),
    hair=("1a100a", "4a3222"),
    outfit=layered.open_jacket,
    heel=0.026,
    seed=12,
)
NOOR = replace(
    ADA,
    name="noor",
    title="Noor, in a long skirt",
    shows="A woman with dark curls, a white blouse and a striped green skirt to the ankles.",
    first=False,
    build={"ada": 0.6, "greta": 0.4},
    outfit=layered.blouse_and_long_skirt,
    seed=13,
)
NIA = replace(
    ADA,
    name="nia",
    title="Nia, with big hair",
    shows="A young woman with a large afro, a mustard shirt and dark green trousers.",
    first=False,
    build={"ada": 0.75, "dayo": 0.25},
    tone=replace(
        ADA.tone, base="8a5a40", blush="8a4232", lips="8c4640", freckles=0.0, iris="3a2014"
    ),
    style=styles.AFRO,
    hair=("120a07", "2e1d14"),
    outfit=partial(layered.shirt_and_trousers, shirt="c79a2e", trousers="2c3a30"),
    heel=0.026,
    backdrop=Backdrop((0.78, 0.72, 0.68), (0.64, 0.57, 0.53), (0.66, 0.59, 0.55)),
    seed=14,
)
OMAR = replace(
    DAYO,
    name="omar",
    title="Omar, with a bag",
    shows="A heavy man with a beard, glasses, a blue shirt and a bag on a strap across.",
    build={"dayo": 0.5, "greta": 0.2, "kenji": 0.3},
    fuller=0.075,
    tone=replace(
        DAYO.tone, base="c79a7a", blush="b56a52", lips="a8645a", palm="d3a88e", stubble=0.6
    ),
    style=styles.CROP,
    hair=("15100e", "3a2f28"),
    brow=("15100e", "32281f"),
    beard=styles.BEARD,
    outfit=_with_bag,
    seed=15,
)
AMINA = replace(
    NOOR,
    name="amina",
    title="Amina, in a headscarf",
    shows="A woman with a rose headscarf, a cream blouse and a violet skirt to the ankles.",
    build={"ada": 0.8, "greta": 0.2},
    style=styles.SHAVED,
    outfit=_with_scarf,
    backdrop=Backdrop((0.72, 0.74, 0.70), (0.58, 0.60, 0.56), (0.60, 0.62, 0.58)),
    seed=16,
)

OTHERS: dict[str, Person] = {p.name: p for p in (LENA, RUBEN, NOOR, NIA, OMAR, AMINA)}
EVERYBODY: dict[str, Person] = PEOPLE | OTHERS
EXAMPLES = (*PEOPLE, "nia", "ruben")  # those whose folders are in `examples/`
