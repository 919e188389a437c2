"""Reads the golden cases of the restoration stage; everything about a case stands in its file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.fill import fill

# Largest difference over the output's standard deviation. A float32 network sums in the order its
# processor likes best (length of registers, threads, Winograd's convolutions), which moves its
# outputs by 1e-5 or so, more for some weights and sizes.
NETWORK = 1e-4
LIMITS = {
    "ddim": 5e-4,  # a network called again and again: the errors of the steps add up
    "detect_post": 1e-5,  # a few sums and products of each number, no network
}
LEVELS = 1  # of 255, largest difference of 8-bit pictures

Schema = dict[str, dict[str, Any]]  # tensors: shape by key; fixed: entries that are not drawn


@dataclass(frozen=True, eq=False)
class Case:
    """One golden case of a network: `<name>.json` and `<name>.safetensors`."""

    folder: Path  # the golden folder
    name: str

    @property
    def kind(self) -> str:
        """The name without its last part, which tells cases of one kind apart."""
        return self.name.rpartition("_")[0]

    @property
    def limit(self) -> float:
        return LIMITS.get(self.kind, NETWORK)

    @cached_property
    def entry(self) -> dict[str, Any]:
        return json.loads((self.folder / "cases" / f"{self.name}.json").read_text())

    @property
    def config(self) -> dict[str, Any]:
        """The reduced sizes of the network."""
        return self.entry["config"]

    @cached_property
    def arrays(self) -> dict[str, Tensor]:
        """Everything, by `in.*`, `out.*` and `mid.*`."""
        return load_file(self.folder / "cases" / f"{self.name}.safetensors")

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The arrays of `in`, `out` or `mid`, by their names without it."""
        start = f"{prefix}."
        return {k.removeprefix(start): v for k, v in self.arrays.items() if k.startswith(start)}

    @cached_property
    def schema(self) -> Schema:
        """Keys and shapes of the weights; only where the case names a file of them."""
        return json.loads((self.folder / self.entry["schema"]).read_text())

    def state(self, shapes: dict[str, Any] | None = None) -> dict[str, Tensor]:
        """The filled tensors by published key; `shapes` instead of those of the schema file."""
        drawn = self.schema["tensors"] if shapes is None else shapes
        gains = self.entry.get("fill_gain", {})
        return filled(drawn, self.entry["fill_seed"], tuple(sorted(gains.items())))


class Golden:
    """The folder: cases, key lists, tables."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "bfrffusion"

    def cases(self, kind: str) -> list[Case]:
        """The cases whose names start so; there is at least one."""
        found = [
            Case(self.folder, path.stem)
            for path in sorted((self.folder / "cases").glob("*.json"))
            if path.stem.startswith(f"{kind}_")
        ]
        assert found, f"no case {kind} in {self.folder}"
        return found

    def schema(self, name: str) -> Schema:
        """Keys and shapes of a published file, such as `BFRffusion.ckpt`."""
        return json.loads((self.folder / "schema" / f"{name}.json").read_text())

    def json(self, name: str) -> Any:
        """A json file, by its path in the folder."""
        return json.loads((self.folder / name).read_text())

    def table(self, name: str) -> dict[str, Tensor]:
        """A table of arrays, such as `schedule`."""
        return load_file(self.folder / "tables" / f"{name}.safetensors")


def filled(
    shapes: dict[str, Any], seed: int, gains: tuple[tuple[str, float], ...] = ()
) -> dict[str, Tensor]:
    """Tensors by key, seed and gain patterns; the same object again while it is kept."""
    listed = tuple((key, tuple(shape)) for key, shape in shapes.items())
    return dict(_filled(listed, seed, gains))


@lru_cache(maxsize=2)
def _filled(listed: tuple, seed: int, gains: tuple) -> dict[str, Tensor]:
    state = {key: fill(key, shape, seed) for key, shape in listed}
    for pattern, gain in gains:
        for key in state:
            if fnmatchcase(key, pattern):
                state[key] = state[key] * gain
    return state


def fixed(schema: Schema, tables: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
    """The entries of a published file that are not drawn: counters, and buffers of `tables`."""
    found = {}
    for key, entry in schema.get("fixed", {}).items():
        if isinstance(entry["value"], str):
            assert tables is not None and list(tables[key].shape) == entry["shape"], key
            found[key] = tables[key]
        else:
            dtype = getattr(torch, entry["dtype"])
            found[key] = torch.full(entry["shape"], entry["value"], dtype=dtype)
    return found


def assert_close(found: Tensor, want: Tensor, limit: float, what: str) -> None:
    """Largest difference over the standard deviation of the golden values."""
    assert found.shape == want.shape, f"{what}: {tuple(found.shape)} for {tuple(want.shape)}"
    error = ((found.double() - want.double()).abs().max() / want.double().std()).item()
    assert error <= limit, f"{what} is off by {error:.2e} (limit {limit:.0e})"


def silent(done: int, total: int, note: str, picture: object = None) -> None:
    """A report nobody reads."""
    assert 0 <= done <= total and note
