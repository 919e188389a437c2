"""Kinds of pictures that people send, and who of the drawn people shows each."""

from __future__ import annotations

from dataclasses import dataclass

from tools.examples.others import EVERYBODY


@dataclass(frozen=True)
class Kind:
    """A kind of picture that people send."""

    stance: str  # a key of `STANCES`
    people: tuple[str, ...]  # who shows it
    worn: bool = False  # it is about what those people wear: nobody else can show it


KINDS: dict[str, Kind] = {
    "hand_at_hip": Kind("hand_at_hip", ("dayo",)),
    "hands_in_front": Kind("hands_in_front", ("ada",)),
    "arms_crossed": Kind("arms_crossed", ("dayo",)),
    "hand_at_head": Kind("hand_at_head", ("ada",)),
    "in_pockets": Kind("in_pockets", ("kenji",)),
    "behind_back": Kind("behind_back", ("ada",)),
    "sitting": Kind("sitting", ("kenji",)),
    "walking": Kind("walking", ("dayo",)),
    "turned": Kind("turned", ("kenji",)),
    "coat": Kind("as_in_photo", ("lena",), worn=True),
    "open_jacket": Kind("as_in_photo", ("ruben",), worn=True),
    "long_skirt": Kind("as_in_photo", ("noor",), worn=True),
    "big_hair": Kind("as_in_photo", ("nia",), worn=True),
    "bag": Kind("as_in_photo", ("omar",), worn=True),
    "headscarf": Kind("as_in_photo", ("amina",), worn=True),
}


def kinds() -> dict[str, tuple[str, ...]]:
    """All kinds, and who shows each."""
    return {name: kind.people for name, kind in KINDS.items()}


def shown_by(kind: str, chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some people who can show a kind; without any chosen, its own."""
    own = KINDS[kind].people
    if not chosen:
        return own
    return tuple(name for name in chosen if name in own or not KINDS[kind].worn)


def everybody() -> tuple[str, ...]:
    """The names of all who can be drawn."""
    return tuple(EVERYBODY)
