"""One drawn person and what the relief makes of it, shared by the tests of this folder."""

from __future__ import annotations

import pytest

from svad.body.free import load_free_body
from svad.body.model import BodyModel
from svad.relief.build import Relief, build_relief
from svad.types import Subject
from tests.relief.people import CUT, subject_of


@pytest.fixture(scope="session")
def body() -> BodyModel:
    return load_free_body()


@pytest.fixture(scope="session")
def subject() -> Subject:
    """A whole person from the front."""
    return subject_of()


@pytest.fixture(scope="session")
def relief(subject: Subject, body: BodyModel) -> Relief:
    return build_relief(subject, body, lambda note: None, seed=0)


@pytest.fixture(scope="session")
def half_subject() -> Subject:
    """A person whom the lower border cuts at the hips."""
    return subject_of(place=CUT, size=(150, 200))


@pytest.fixture(scope="session")
def half_relief(half_subject: Subject, body: BodyModel) -> Relief:
    return build_relief(half_subject, body, lambda note: None, seed=0)
