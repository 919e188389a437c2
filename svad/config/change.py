"""Settings of a preset changed, as they are written in a command."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from svad.config.preset import Preset
from svad.core.errors import SettingError
from svad.core.ranges import shown

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Settings = TypeVar("Settings", bound="DataclassInstance")
Plain = bool | int | float | str  # a setting, if it is no tuple of these


def changed(preset: Preset, *settings: str) -> Preset:
    """The preset with settings changed one after another, each written as `stage.field=value`.

    A field that is a group of settings takes one more name: `stage.group.field=value`.

    Raises `SettingError` for a stage or field that is not there, and for a value that does not fit.
    """
    for setting in settings:
        preset = _with_one(preset, setting)
    return preset


def _with_one(preset: Preset, setting: str) -> Preset:
    place, equals, text = setting.partition("=")
    stage, _, name = place.strip().partition(".")
    stages = {f.name: getattr(preset, f.name) for f in fields(preset)}
    have = [key for key, value in stages.items() if is_dataclass(value)]
    if not equals or stage not in have:
        raise SettingError(
            f"{setting} is no setting of the preset {preset.name}. Write stage.field=value, "
            f"with one of these stages: {', '.join(have)}."
        )
    return replace(preset, **{stage: _changed(stages[stage], stage, name, text.strip())})


def _changed(group: Settings, place: str, path: str, text: str) -> Settings:
    """The group that stands at `place` with one of its settings, or of those below, changed."""
    name, _, rest = path.partition(".")
    known = {f.name: getattr(group, f.name) for f in fields(group)}
    if rest and known.get(name, "") is None:
        raise SettingError(f"This preset does without {place}.{name}, so there is none to change.")
    if name not in known or (rest and not is_dataclass(known[name])):
        raise SettingError(f"{place} has no setting {path}. It has: {', '.join(known)}.")
    inner, old = f"{place}.{name}", known[name]
    if not is_dataclass(old):
        value = _parsed(text, old, inner)
        try:
            return replace(group, **{name: value})
        except SettingError as error:  # which knows the field's name only
            raise SettingError(f"{place}.{error}") from error
    if not rest:
        names = ", ".join(f.name for f in fields(old))
        raise SettingError(f"{inner} is a group of settings. Write {inner}.field=value: {names}.")
    return replace(group, **{name: _changed(known[name], inner, rest, text)})


def _parsed(text: str, like: Plain | tuple[Plain, ...], place: str) -> object:
    """A value of the same kind as the present one."""
    try:
        if isinstance(like, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(like, tuple):
            parts = [type(a)(b) for a, b in zip(like, text.split(","), strict=True)]
            return tuple(parts)
        return type(like)(text)
    except (ValueError, KeyError, TypeError) as error:
        now = ",".join(map(str, like)) if isinstance(like, tuple) else str(like).lower()
        raise SettingError(
            f"{place} is {now} in this preset; {shown(text)} does not fit it."
        ) from error
