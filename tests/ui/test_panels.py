"""The parts of the page that are plain HTML."""

from __future__ import annotations

from svad.splat.rasterisers import NAMES
from svad.ui.panels import visit


def test_the_top_of_the_page_names_the_rasteriser_to_its_owner_alone() -> None:
    tops = {name: visit.header(False, name) for name in NAMES.values()}
    assert all(name in top for name, top in tops.items()) and len(set(tops.values())) == 3
    assert len({visit.header(True, name) for name in NAMES.values()}) == 1
