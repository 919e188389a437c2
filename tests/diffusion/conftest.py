"""Fixtures of the video diffusion tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from svad.body.free import load_free_body
from svad.body.model import BodyModel
from svad.config.subject import SubjectConfig
from svad.types import Subject
from tests.diffusion.files import write_files
from tests.diffusion.golden import Golden

PHOTO = Path(__file__).parents[2] / "examples" / "ada" / "photo.jpg"


@pytest.fixture(scope="session")
def golden(golden_root: Path) -> Golden:
    """The golden cases of the video diffusion networks."""
    if not (golden_root / "musepose").is_dir():
        pytest.skip(f"no folder musepose in {golden_root}")
    return Golden(golden_root)


@pytest.fixture(scope="session")
def weights(golden: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's own folder with all files of the preset `quick`, small and filled."""
    return write_files(tmp_path_factory.mktemp("weights"), golden)


@pytest.fixture(scope="session")
def body() -> BodyModel:
    """The default body."""
    return load_free_body()


@pytest.fixture(scope="session")
def subject(body: BodyModel) -> Subject:
    """An example person, understood at a small size."""
    from svad.subject.checks import read_photo
    from svad.subject.stage import SubjectStage

    stage = SubjectStage(SubjectConfig(person_height=300), body)
    return stage.run(read_photo(PHOTO), lambda *_: None)
