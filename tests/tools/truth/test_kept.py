"""What was drawn is kept as long as somebody asks for it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tools.truth.kept import MOST, ROOT, UNUSED, key, prune

NAMES = (
    f"people/ada-{key(())}.safetensors",
    f"looks/ada-arms_crossed-{key((), 1)}.safetensors",
    f"clips/ada-turn-{key((), 2)}/clip.mp4",
    f"ada-{key((), 3)}/photo.safetensors",
)
CUT = f"clips/.ada-turn-{key((), 2)}-k3x_9ab1/rgb_000.png"  # of a drawing that was killed
OTHERS = ("notes.txt", "mine/ada.safetensors", "people/ada.safetensors")


def written(cache: Path, *names: str) -> list[Path]:
    for name in names:
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_bytes(b"drawn")
    return [cache / name for name in names]


def test_what_nobody_asked_for_goes_and_all_else_stays(tmp_path: Path) -> None:
    long_ago = time.time() - 1.1 * UNUSED
    used, unused = written(tmp_path / "a", *NAMES), written(tmp_path / "b", *NAMES, CUT)
    others = written(tmp_path / "b", *OTHERS)
    for path in (*used, *unused, *others):
        os.utime(path, (long_ago, long_ago))
    for path in used:
        os.utime(path, (time.time(), long_ago))  # read a moment ago
    for cache in (tmp_path / "a", tmp_path / "b", tmp_path / "never"):
        prune(cache)
    assert all(path.is_file() for path in (*used, *others))
    assert not any(path.exists() for path in unused)
    assert not list((tmp_path / "b" / "clips").iterdir())


def test_of_each_name_the_latest_stay(tmp_path: Path) -> None:
    days, now = 86400.0, time.time()
    names = [f"people/ada-{key((), k)}.safetensors" for k in range(2 * MOST)]
    paths = written(tmp_path, *names, f"people/ben-{key(())}.safetensors")
    for k, path in enumerate(paths):
        os.utime(path, (now - (k + 1.5) * days, now - 13 * days))
    os.utime(paths[-2], (now, now))  # it is being read
    prune(tmp_path)
    assert [path for path in paths if path.exists()] == [*paths[: MOST - 1], *paths[-2:]]


def test_a_key_changes_with_code_and_parameters() -> None:
    place = "tools/truth/kept.py"
    assert key((place,), 1) == key((place,), 1) and (ROOT / place).is_file()
    assert len({key((place,), 1), key((place,), 2), key((), 1)}) == 3
