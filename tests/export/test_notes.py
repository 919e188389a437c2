"""The notes of the archive: the files it holds, and the terms of any body and any weights."""

from __future__ import annotations

from dataclasses import replace

import pytest

from svad.export import notes
from svad.export.formats import FORMATS, packed_formats
from svad.export.notes import FREE_BODY, licence, readme
from svad.export.vrm import meta


def test_the_readme_says_of_each_file_what_it_is() -> None:
    lines = readme(packed_formats(), 1234, 43, ("wave", "walk"), {}).splitlines()
    assert all(len(line) <= 100 for line in lines)
    for row in packed_formats():
        about = row.about.format(count=1234, expressions=43, motions="wave, walk").splitlines()
        at = lines.index(f"{row.file:<21}{about[0]}")
        assert [line.strip() for line in lines[at + 1 : at + len(about)]] == about[1:]
    assert "animations (none)." in readme(packed_formats(), 1, 0, (), {})


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ({}, "Made by SVAD from one photo."),
        ({"pictures": {"kind": "photos", "frames": 3}}, "Made by SVAD from 3 photos."),
        ({"pictures": {"kind": "clip", "frames": 48}}, "Made by SVAD from a clip."),
        ({"imported": "snapshot_4.pth"}, "Read by SVAD from snapshot_4.pth."),
    ],
)
def test_what_it_was_made_from_is_said_in_every_note(card: dict, words: str) -> None:
    text = readme(packed_formats(), 1, 1, (), card)
    assert words in text and words in meta(card)["name"]
    if "imported" not in card:
        source = words.removeprefix("Made by SVAD from ").removesuffix(".")
        assert f"It was generated from {source}. Your rights" in licence(card)


def test_no_line_is_longer_than_a_terminal_takes() -> None:
    motions = [f"motion_{k}" for k in range(20)]
    text = readme(packed_formats(), 338212, 67, motions, {"imported": "a" * 40 + ".pth"})
    assert all(len(line) <= 100 for line in text.splitlines())
    assert all(f"{name}" in text for name in motions)


def test_a_long_file_name_stands_on_its_own_line() -> None:
    row = replace(FORMATS["ply"], file="a" * 30 + ".ply", about="", title="In {one} line")
    assert f"\n{row.file}\n{' ' * 21}In {{one}} line\n" in readme([row], 1, 1, (), {})


BODY = ("SMPL-X, a file of your own.", "For research only, see its licence.")


@pytest.mark.parametrize("body", ["\n".join(BODY), list(BODY), "\n      ".join(BODY)])
def test_a_body_takes_as_many_lines_as_it_needs(body: str | list[str]) -> None:
    text = licence({"body": body})
    assert f"  Body            {BODY[0]}\n{' ' * 18}{BODY[1]}\n  Landmarks" in text
    assert FREE_BODY.splitlines()[0] not in text


def test_weights_stand_below_one_another() -> None:
    text = licence({"weights": ["one: terms", "two: more\nterms"], "preset": "quick"})
    indent = " " * 18
    assert f"  Settings        quick\n  Weights         one: terms\n{indent}two: more\n" in text
    assert text.endswith(f"\n{indent}terms\n")


def test_without_a_card_the_defaults_are_told() -> None:
    text = licence({})
    assert "CC0 1.0" in text and "not recorded" in text and notes.NO_WEIGHTS in text


def test_the_body_is_the_default_one_unless_the_card_names_another() -> None:
    notice = "SMPLX_MALE.npz: non-commercial research only; not to be handed on"
    assert "default body, made from MakeHuman data" in licence({"preset": "preview"})
    own = licence({"preset": "preview", "body": notice})
    assert "MakeHuman" not in own and notice in " ".join(own.split())
