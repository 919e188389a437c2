"""Imports only point down; importing costs nothing; every module says what it is for."""

from __future__ import annotations

import ast
from pathlib import Path

from svad.run.imports import imported
from svad.run.stages import STAGES as TABLE

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "svad").rglob("*.py"))
# Floors from the ground up; a room may import the rooms of lower floors and itself.
FLOORS = (
    {"core"},
    {"compute", "geometry", "media", "types", "config", "terminal"},
    {"weights", "body", "face", "splat", "storage"},
    {"pose", "motion", "learn", "track"},
    {row.room for row in TABLE},
    {"run"},
    {"evaluate", "deploy"},
    {"ui", "cli", "__init__", "__main__"},
)
STAGES = FLOORS[4]
# what a stage says of itself; importing them is cheap
TABLES = ("svad.export.formats", "svad.export.options", "svad.export.sliders")
UNSAFE = {"pickle.load", "pickle.loads", "torch.load", "eval", "exec"}


def room(module: Path) -> str:
    return module.relative_to(ROOT / "svad").parts[0].removesuffix(".py")


def rooms_imported(module: Path) -> set[str]:
    names = {name.split(".")[1] for name in imported(module) if name.startswith("svad.")}
    return {
        n for n in names if (ROOT / "svad" / n).is_dir() or (ROOT / "svad" / f"{n}.py").exists()
    }


def allowed(mine: str) -> set[str]:
    """The rooms a room may import."""
    floor = next(number for number, rooms in enumerate(FLOORS) if mine in rooms)
    below = set().union(*FLOORS[:floor])
    return below | ({mine} if FLOORS[floor] == STAGES else FLOORS[floor])


def test_imports_point_down() -> None:
    for module in MODULES:
        wrong = rooms_imported(module) - allowed(room(module))
        assert not wrong, f"{module} must not import {wrong}"


def test_of_what_runs_only_the_makers_know_the_stages() -> None:
    for module in MODULES:
        if room(module) == "run" and module.parent.name != "makers":
            named = {name for name in imported(module) if name.startswith("svad.")}
            rooms = {name.split(".")[1] for name in named if not name.startswith(TABLES)}
            assert not rooms & STAGES, module


def test_only_the_page_knows_gradio() -> None:
    for module in MODULES:
        knows = any(name.split(".")[0] == "gradio" for name in imported(module))
        assert not knows or room(module) == "ui", f"{module} imports gradio"


def test_a_module_says_what_it_is_for() -> None:
    for module in MODULES:
        text = module.read_text(encoding="utf-8")
        if module.name == "__init__.py" and not text.strip():
            continue
        first = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
        assert first.endswith((".", "!", "?")), module


def test_nothing_unpickles_nor_swallows_all_errors() -> None:
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, f"a bare except in {module}"
            if isinstance(node, ast.Call):
                words = {f"{k.arg}={ast.unparse(k.value)}" for k in node.keywords}
                name, safe = ast.unparse(node.func), "weights_only=True" in words
                assert name not in UNSAFE or (name == "torch.load" and safe), module
                assert "allow_pickle=True" not in words, module
