"""The texts of the archive: whose body it is, and under which terms."""

from __future__ import annotations

import pytest

from svad.export.notes import FREE_BODY, licence, readme

NOTICE = "SMPLX_MALE.npz (SMPL-X model licence): non-commercial research only; not to be handed on"


def test_the_body_is_the_default_one_unless_the_card_names_another() -> None:
    assert FREE_BODY in licence({"preset": "preview"})
    own = licence({"preset": "preview", "body": NOTICE})
    assert FREE_BODY not in own and NOTICE in " ".join(own.split())


@pytest.mark.parametrize("notice", [NOTICE, "a few words", "terms " * 60])
def test_long_terms_are_broken_into_lines(notice: str) -> None:
    lines = licence({"body": notice}).splitlines()
    assert max(map(len, lines)) <= 100
    first = next(i for i, line in enumerate(lines) if line.startswith("  Body"))
    last = next(i for i, line in enumerate(lines) if line.startswith("  Landmarks"))
    assert all(line.startswith(" " * 18) for line in lines[first + 1 : last])


def test_the_face_is_described_as_it_is() -> None:
    assert "ARKit" in readme(10, 43, ("wave",))
    own = readme(10, 10, ("wave",), own_body=True)
    assert "ARKit" not in own and "10 facial morph targets" in own
