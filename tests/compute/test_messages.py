"""Errors that cross processes: class, sentence and plain fields, and nothing that could run."""

from __future__ import annotations

import pickle

import pytest

from svad.compute.messages import Failed
from svad.core.errors import MissingWeights, NothingToDo, Stopped, SvadError
from svad.weights.errors import WrongChecksum


class Foreign(NothingToDo):
    """An error that the package does not define."""


def crossed(error: SvadError) -> SvadError:
    """The error as the other process gets it."""
    return pickle.loads(pickle.dumps(Failed.of(error))).error()


@pytest.mark.parametrize("kind", [SvadError, NothingToDo, Stopped, WrongChecksum])
def test_class_and_sentence_stay(kind: type[SvadError]) -> None:
    found = crossed(kind("The file is not what it should be."))
    assert type(found) is kind and str(found) == "The file is not what it should be."
    assert found.args == ("The file is not what it should be.",)


def test_fields_stay() -> None:
    error = MissingWeights("face.pth", "a page", "free", "Put it there.")
    found = crossed(error)
    assert type(found) is MissingWeights and str(found) == str(error)
    assert (found.name, found.source, found.terms) == ("face.pth", "a page", "free")


def test_a_class_from_elsewhere_goes_by_the_nearest_one_of_ours() -> None:
    error = Foreign("Nothing.")
    error.network = object()
    found = crossed(error)
    assert type(found) is NothingToDo and str(found) == "Nothing." and not vars(found)


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtins", "SystemExit"), ("svad.core.files", "write_json")],
)
def test_nothing_but_our_errors_is_ever_made(module: str, name: str) -> None:
    found = Failed(module, name, "Said by somebody else.", ()).error()
    assert type(found) is SvadError and str(found) == "Said by somebody else."


def test_a_module_that_is_not_ours_is_not_even_imported() -> None:
    import sys

    sys.modules.pop("this", None)
    assert type(Failed("this", "d", "Zen.", ()).error()) is SvadError
    assert "this" not in sys.modules
