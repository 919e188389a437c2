"""The import graph against the parsed syntax, and hashes on a copy of the package."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from svad.run.imports import ImportGraph, imported, own_graph
from svad.run.stages import STAGES, stage

PACKAGE = own_graph().package


def parsed(module: Path) -> Iterator[str]:
    """All names a file imports except for annotations, from its syntax tree."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    hidden = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for part in branch.body
        for node in ast.walk(part)
    }
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{module} imports from beside itself"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(PACKAGE, tmp_path / "svad", ignore=ignored))


def codes(package: Path) -> dict[str, str]:
    """Every stage's hash, read anew."""
    graph = ImportGraph(package)
    return {row.name: graph.fingerprint(row.room, row.parts) for row in STAGES}


def changed_by(package: Path, name: str) -> set[str]:
    """The stages whose hash changes with a file."""
    before, path = codes(package), package / name
    path.write_bytes(path.read_bytes() + b"\n")
    after = codes(package)
    return {row for row in after if after[row] != before[row]}


def test_lines_tell_the_same_as_the_syntax() -> None:
    for module in sorted(PACKAGE.rglob("*.py")):
        assert set(imported(module)) == set(parsed(module)), module


def test_every_form_of_import_is_seen(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "from typing import TYPE_CHECKING\n"
        "import a.b as c, d\n"
        "from e import (\n    f,  # (why)\n    g as h,\n)\n"
        "if TYPE_CHECKING:\n    import hidden\n\n    from hidden import too\n"
        "else:\n    import shown\n"
        "try:\n    import k\nexcept ImportError:\n    from l import m\n"
        "def n():\n    if n:\n        from o import p, q\n"
    )
    expected = {"typing", "typing.TYPE_CHECKING", "a.b", "d", "e", "e.f", "e.g", "shown", "k"}
    assert set(imported(module)) == expected | {"l", "l.m", "o", "o.p", "o.q"}
    assert set(imported(module)) == set(parsed(module))


def test_a_kernel_does_not_throw_away_the_subject(package: Path) -> None:
    assert changed_by(package, "splat/kernels/drawing.py") == {
        *("relief", "film", "identity", "avatar", "package"),
    }


def test_a_change_in_weights_counts_where_they_are_imported(package: Path) -> None:
    found = changed_by(package, "weights/store.py")
    networks = {"subject", "diffusion", "identity", "restoration"}
    assert found == {"footage", "film", "avatar", *networks}  # film learns poses as avatar does


def test_the_body_counts_for_all_who_stand_on_it(package: Path) -> None:
    assert changed_by(package, "body/data/body.npz") == {row.name for row in STAGES}


def test_a_room_counts_for_itself_alone(package: Path) -> None:
    assert changed_by(package, "export/glb.py") == {"package"}
    assert changed_by(package, "restoration/schedule.py") == {"restoration"}


def test_what_is_above_the_stages_does_not_count(package: Path) -> None:
    for name in ("ui/texts.py", "cli.py", "run/pipeline.py"):
        assert not changed_by(package, name)


def test_settings_count_by_value(package: Path) -> None:
    for name in ("avatar.py", "presets.py"):
        assert not changed_by(package, f"config/{name}")


def test_a_new_file_counts_and_a_cache_does_not(package: Path) -> None:
    before = codes(package)
    (package / "avatar" / "__pycache__").mkdir()
    (package / "avatar" / "__pycache__" / "stage.pyc").write_bytes(b"compiled")
    assert codes(package) == before
    (package / "avatar" / "table.json").write_text("{}")
    after = codes(package)
    assert {row for row in after if after[row] != before[row]} == {"avatar", "film"}


def test_a_room_or_part_that_is_not_there_is_never_silent(package: Path) -> None:
    graph = ImportGraph(package)
    with pytest.raises(ValueError, match="no room cellar"):
        graph.fingerprint("cellar")
    with pytest.raises(ValueError, match="svad.body.tail is no module"):
        graph.fingerprint("avatar", ("svad.body.tail",))


def test_the_hash_does_not_depend_on_the_place(package: Path) -> None:
    assert codes(package) == {row.name: row.code() for row in STAGES}


def test_hashing_loads_nothing() -> None:
    heavy = "{'torch', 'cv2', 'numba', 'numpy'}"
    code = f"import sys; from svad.run.stages import stage; stage('subject').code(); print({heavy}"
    done = subprocess.run(
        [sys.executable, "-c", f"{code} & set(sys.modules))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "set()"
    assert len(stage("subject").code()) == 64
