"""Reads the golden cases of the video diffusion networks and builds the networks they mean."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from svad.diffusion.models import Models, load_models
from svad.diffusion.schedule import Schedule
from svad.diffusion.sizes import ClipSizes, Sizes
from tests.fill import fill

CALL = 1e-4  # largest difference / largest golden magnitude, one network call
RUN = 5e-4  # the same for a whole run: the errors of its calls add up


@dataclass(frozen=True)
class Case:
    """One entry of the index."""

    folder: Path
    entry: dict[str, Any]

    @property
    def config(self) -> str:
        return self.entry["config"]

    @cached_property
    def arrays(self) -> dict[str, Tensor]:
        return load_file(self.folder / self.entry["file"])


class Golden:
    """The folder: an index, arrays, and the keys of each network at each size."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "musepose"
        self.index = json.loads((self.folder / "cases.json").read_text())

    def cases(self, kind: str) -> list[Case]:
        """The cases `<config>_<kind>...` of the index; there is at least one."""
        found = [
            Case(self.folder, entry)
            for entry in self.index["cases"]
            if entry["name"].removeprefix(f"{entry.get('config', '')}_").startswith(kind)
        ]
        assert found, f"no case {kind} in {self.folder}"
        return found

    def case(self, kind: str, config: str) -> Case:
        """The first case of a kind at a configuration."""
        return next(case for case in self.cases(kind) if case.config == config)

    def sizes(self, config: str) -> Sizes:
        """Of a configuration; an unknown name is an error."""
        given = self.index["configs"][config]
        plain = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        return Sizes(**plain | {"clip": ClipSizes(**plain["clip"])} if "clip" in plain else plain)

    def schema(self, config: str, network: str) -> dict[str, dict[str, list]]:
        return json.loads((self.folder / "schema" / config / f"{network}.json").read_text())

    def state(self, config: str, network: str) -> dict[str, Tensor]:
        """The tensors of a published file, filled by key and seed."""
        seed = self.index["fill_seeds"][config][network]
        schema = self.schema(config, network)["tensors"]
        return {key: fill(key, tuple(shape), seed) for key, shape in schema.items()}

    @lru_cache(maxsize=4)  # noqa: B019 - one object a session
    def states(self, config: str) -> dict[str, dict[str, Tensor]]:
        return {name: self.state(config, name) for name in self.index["fill_seeds"][config]}

    @lru_cache(maxsize=4)  # noqa: B019
    def models(self, config: str) -> Models:
        """All networks of a configuration with filled weights, through the real loader."""
        return load_models(self.sizes(config), self.states(config).__getitem__)

    def schedule(self) -> Schedule:
        """The noise schedule of the index; what it cannot express must be as expected."""
        given = self.index["scheduler"]
        assert given["prediction_type"] == "v_prediction" and given["rescale_betas_zero_snr"]
        assert given["timestep_spacing"] == "trailing" and not given["clip_sample"]
        return Schedule(beta_start=given["beta_start"], beta_end=given["beta_end"])

    def table(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        folder = self.folder
        return load_file(folder / "tables.safetensors"), json.loads(
            (folder / "tables.json").read_text()
        )


def assert_close(found: Tensor, want: Tensor, limit: float, what: str) -> None:
    """Largest difference over the largest golden magnitude."""
    assert found.shape == want.shape, f"{what}: {tuple(found.shape)} for {tuple(want.shape)}"
    error = ((found.double() - want.double()).abs().max() / want.double().abs().max()).item()
    assert error <= limit, f"{what} is off by {error:.2e} (limit {limit:.0e})"


def silent(done: int, total: int, note: str, picture: object = None) -> None:
    """A report nobody reads."""
    assert 0 <= done <= total and note
