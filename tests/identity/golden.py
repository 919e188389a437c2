"""Reads the golden cases of the head: settings, inputs, filled weights, expected results."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from tests.fill import fill, tensor

NOT_CASES = ("schema_*", "keymap_*")  # tables beside the cases
# Least limit of a network: float32 sums in the order a processor likes best (length of registers,
# threads, Winograd's convolutions) differ by 1e-5 or so, more for some weights and sizes.
NETWORK = 1e-4
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet, RGB


@dataclass(frozen=True)
class Case:
    """One golden case: `<name>.json` and `<name>.safetensors`."""

    folder: Path
    name: str

    @cached_property
    def config(self) -> dict[str, Any]:
        return json.loads((self.folder / f"{self.name}.json").read_text())

    @cached_property
    def inputs(self) -> dict[str, Tensor]:
        """The stored inputs together with those that are drawn by name."""
        drawn = self.config.get("inputs_fill", {})
        made = {name: _made(recipe, self.config["seed"]) for name, recipe in drawn.items()}
        return self._stored("in.") | made

    @cached_property
    def expected(self) -> dict[str, Tensor]:
        return self._stored("out.")

    def schema(self) -> dict[str, tuple[int, ...]]:
        """Published key -> shape of the case's network."""
        given = self.config["schema"]
        keys = given if isinstance(given, dict) else schema(self.folder, given)
        begins = tuple(self.config.get("key_prefixes", ("",)))
        return {key: tuple(shape) for key, shape in keys.items() if key.startswith(begins)}

    def state(self) -> dict[str, Tensor]:
        """The tensors of the case's network by published key (made anew at each call)."""
        return filled(self.schema(), self.config["seed"], self.config.get("post", ()))

    def check(self, name: str, found: Tensor | np.ndarray, expected: str | None = None) -> float:
        """Compares one output with the case's own limit and returns its largest error.

        A limit is relative to the largest magnitude expected, if that is above one. `expected`
        is the output it is compared with, when it does not carry the same name.
        """
        stored = expected or name
        want = self.expected[stored].double()
        got = torch.as_tensor(found).detach().cpu().double()
        assert got.shape == want.shape, (self.name, name, tuple(got.shape), tuple(want.shape))
        limit = self._limit(stored)
        unit = 1.0 if limit.get("absolute") else max(1.0, want.abs().max().item())
        error = (got - want).abs()
        assert torch.isfinite(error).all(), f"{self.name}: {name} is not finite"
        for what, worst in (("max", error.max().item()), ("mean", error.mean().item())):
            allowed = limit.get(what, float("inf")) * unit
            assert worst <= allowed, f"{self.name}: {name} {what} {worst:.2e} (limit {allowed:.1e})"
        return error.max().item()

    def _limit(self, name: str) -> dict[str, Any]:
        limit = self.config["tol"]
        if isinstance(limit, Mapping) and "max" not in limit:
            rules = (v for k, v in limit.items() if k != "default" and re.search(k, name))
            limit = next(rules, limit.get("default"))
        limit = dict(limit) if isinstance(limit, Mapping) else {"max": limit}
        if "schema" in self.config:  # a case with weights is a network
            limit["max"] = max(limit["max"], NETWORK)
        return limit

    def _stored(self, prefix: str) -> dict[str, Tensor]:
        arrays = load_file(self.folder / f"{self.name}.safetensors")
        return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def cases(root: Path, pattern: str) -> list[Case]:
    """The cases whose name fits a pattern such as `flame*`; there is at least one."""
    folder = root / "head"
    names = (path.stem for path in sorted(folder.glob("*.safetensors")))
    fitting = [name for name in names if fnmatch(name, pattern)]
    found = [Case(folder, name) for name in fitting if not any(fnmatch(name, n) for n in NOT_CASES)]
    assert found, f"no case {pattern} in {folder}"
    return found


def schema(folder: Path, file: str) -> dict[str, tuple[int, ...]]:
    """Published key -> shape of a `schema_*.json` of the folder of cases."""
    table = json.loads((folder / file).read_text())
    return {key: tuple(shape) for key, shape in table["keys"].items()}


def filled(
    keys: Mapping[str, tuple[int, ...]],
    seed: int,
    post: tuple | list = (),  # [pattern, factor, offset], applied in turn to keys that fit
) -> dict[str, Tensor]:
    """Stand-in tensors of a published file; tables of integers are left out."""
    state = {}
    for key, shape in keys.items():
        if key.endswith("relative_position_index"):
            continue
        if key.endswith("num_batches_tracked"):
            state[key] = torch.zeros(shape, dtype=torch.int64)
            continue
        tied = re.sub(r"^fpn\.smooth_conv\.\d", "fpn.smooth_conv.0", key)  # three names, one layer
        value = fill(tied, shape, seed)
        for pattern, factor, offset in post:
            if re.search(pattern, key):
                value = value * factor + offset
        state[key] = value
    return state


def _made(recipe: Mapping[str, Any], seed: int) -> Tensor:
    x = tensor(recipe["fill"], tuple(recipe["shape"]), seed)
    for step in recipe["ops"]:
        name, number = (step, None) if isinstance(step, str) else step
        x = _step(x, name, number)
    return x


def _step(x: Tensor, name: str, number: float | int | None) -> Tensor:
    if name == "sigmoid":
        return x.sigmoid()
    if name == "tanh":
        return x.tanh()
    if name == "mul":
        return x * number
    if name == "avg_pool":  # box filter of the same size on the last two axes, zeros outside
        planes = x.reshape(-1, 1, *x.shape[-2:])
        return functional.avg_pool2d(planes, number, 1, number // 2).reshape(x.shape)
    assert name == "imagenet", f"unknown step {name} in a golden case"
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    return (x - mean[:, None, None]) / std[:, None, None]
