"""The parts of the page that are plain HTML."""

from __future__ import annotations

import pytest

from svad.splat.rasterisers import NAMES
from svad.ui.panels import visit


@pytest.mark.parametrize("hosted", [False, True])
def test_the_top_of_the_page_names_the_rasteriser(hosted: bool) -> None:
    tops = {name: visit.header(hosted, name) for name in NAMES.values()}
    assert all(name in top for name, top in tops.items()) and len(set(tops.values())) == 3
