"""Nothing stands in the package that no entry point reaches, and no name that only tests call."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from svad.cli import COMMANDS
from svad.motion.authored import authored
from svad.run.stages import STAGES
from tests.test_floors import MODULES, ROOT, imported

ENTRIES = (
    *("svad.__main__", "svad.cli", "svad.ui.serve", "svad.weights.flame_convert"),
    "svad.export.loader_example",  # is packed as text, not imported
    *("svad.avatar.published.losses", "svad.avatar.published.fitting"),  # held to its numbers
    *COMMANDS.values(),  # found by the table of commands
    *(f"svad.{row.room}.stage" for row in STAGES),  # found by the table of stages
    *(f"svad.motion.authored.{name}" for name in authored()),  # found by their folder
)
USERS = [*MODULES, ROOT / "app.py", *(ROOT / "scripts").glob("*.py")]
USERS += sorted((ROOT / "tools").rglob("*.py"))
# Names and modules that nothing but tests calls, and why they stay.
KEPT = {
    **{f"{row.name.title()}Stage": "found by the table of stages" for row in STAGES},
    "isotropic": "Gaussians made by hand, in tests and first steps",
    "pose_points": "the forward of `unpose_points`, which is tested by it",
    "find_class": "called by the unpickler it overrides a method of",
    "persistent_load": "called by the unpickler it overrides a method of",
    # what the published avatar is trained with; of its program only the reading is done here
    **dict.fromkeys(
        (
            *("svad/avatar/published/buffers.py", "svad/avatar/published/forward.py"),
            *("svad/avatar/published/losses.py", "svad/avatar/published/network.py"),
            "svad/avatar/published/fitting.py",
            "svad/avatar/regularisers.py",
        ),
        "the published training, held to its numbers",
    ),
    # conversions stand in pairs, each tested by the other
    "svad/geometry/rotation.py": "every conversion between forms of a rotation, both ways",
    "letterbox": "of the published tracker, held to its numbers",
}


def name_of(module: Path) -> str:
    parts = module.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def test_every_module_is_reached_by_imports_from_an_entry() -> None:
    files = {name_of(module): module for module in MODULES}
    reached: set[str] = set()
    waiting = [*ENTRIES, *imported(ROOT / "app.py")]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in files:
            continue
        reached.add(name)
        waiting += [name.rpartition(".")[0], *imported(files[name])]
    assert not sorted(files.keys() - reached)


def defined(module: Path) -> list[str]:
    """Functions, classes and methods that do not begin with an underscore."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    nodes = ast.walk(ast.parse(module.read_text(encoding="utf-8")))
    return [node.name for node in nodes if isinstance(node, kinds) and node.name[0] != "_"]


def used(module: Path) -> set[str]:
    """Every name a module mentions other than by defining or importing it.

    The last word of a short text counts too: some are looked up by it (`getattr`, patches, types
    in quotes).
    """
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value.rpartition(".")[2].rpartition(":")[2])
    return found


def test_every_public_name_is_used_outside_of_tests() -> None:
    uses = set().union(*map(used, USERS))
    unused = defaultdict(list)
    for module in MODULES:
        where = module.relative_to(ROOT).as_posix()
        for name in defined(module):
            if name not in uses and name not in KEPT and where not in KEPT:
                unused[where].append(name)
    assert not unused
