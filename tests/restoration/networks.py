"""The networks of faces and background with the filled weights of the golden cases."""

from __future__ import annotations

from functools import lru_cache

import torch

from svad.restoration.rrdb import RRDBNet, RrdbSizes, load_rrdb
from tests.fill import fill
from tests.restoration.golden import Case

TINY = {"num_feat": 16, "num_block": 2, "num_grow_ch": 8}


def rrdb_sizes(config: dict[str, int]) -> RrdbSizes:
    return RrdbSizes(
        features=config["num_feat"], blocks=config["num_block"], growth=config["num_grow_ch"]
    )


def rrdb_shapes(sizes: RrdbSizes) -> dict[str, list[int]]:
    """Keys and shapes at reduced sizes, which no file lists."""
    with torch.device("meta"):
        network = RRDBNet(sizes)
    return {key: list(value.shape) for key, value in network.state_dict().items()}


def rrdb_of(case: Case, dtype: torch.dtype = torch.float32) -> RRDBNet:
    """The network of a golden case."""
    sizes = rrdb_sizes(case.config)
    shapes = None if case.entry["schema"].endswith(".json") else rrdb_shapes(sizes)
    return load_rrdb(case.state(shapes), sizes, dtype)


@lru_cache(maxsize=1)
def tiny_rrdb(seed: int = 0) -> RRDBNet:
    """A small filled network."""
    sizes = rrdb_sizes(TINY)
    shapes = rrdb_shapes(sizes)
    return load_rrdb({key: fill(key, tuple(s), seed) for key, s in shapes.items()}, sizes)
