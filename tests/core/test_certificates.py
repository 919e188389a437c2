"""A person's own certificates: taken where they are some, else a sentence."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from svad.core.certificates import FILE, FOLDER, require_certificates
from svad.core.errors import SettingError


def test_none_and_those_of_the_system_will_do(tmp_path: Path) -> None:
    require_certificates({})
    require_certificates({FILE: "", FOLDER: ""})
    require_certificates({FOLDER: str(tmp_path)})
    there = ssl.get_default_verify_paths().cafile
    require_certificates({FILE: there} if there else {})


def test_what_holds_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("no certificate")
    for place in ("text.pem", "gone.pem"):
        with pytest.raises(SettingError, match=rf"{FILE} must name .*{place}.*Unset it"):
            require_certificates({FILE: str(tmp_path / place)})
