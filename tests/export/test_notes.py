"""The texts of the archive: whose body it is, and under which terms."""

from __future__ import annotations

from svad.export.notes import licence

NOTICE = "SMPLX_MALE.npz (SMPL-X model licence): non-commercial research only; not to be handed on"


def test_the_body_is_the_default_one_unless_the_card_names_another() -> None:
    assert "default body, made from MakeHuman data" in licence({"preset": "preview"})
    own = licence({"preset": "preview", "body": NOTICE})
    assert "MakeHuman" not in own and NOTICE in " ".join(own.split())
