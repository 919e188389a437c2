"""The viewer as one page: complete, and nothing in it asks for anything."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from svad.export.viewer_page import SCRIPTS, VIEWING, WORKER, joined, viewer_page

IMPORT = re.compile(r'from "\./(\w+)\.js"')


def test_everything_is_inside() -> None:
    page = viewer_page(b"\0\xffavatar", "Ada & <friends>")
    assert base64.b64encode(b"\0\xffavatar").decode() in page
    assert "<title>Ada &amp; &lt;friends&gt;</title>" in page
    assert not re.search(r'(src|href)="(?!data:)', page) and "import " not in joined()
    assert (VIEWING / f"{WORKER}.js").read_text() in page and ":root {" in page
    assert page.count("<script") == page.count("</script>") == 3


def test_every_module_is_joined_after_those_it_needs() -> None:
    files = {path.stem: path.read_text() for path in VIEWING.glob("*.js")}
    assert set(SCRIPTS) | {WORKER} == set(files)
    for place, name in enumerate(SCRIPTS):
        assert set(IMPORT.findall(files[name])) <= set(SCRIPTS[:place]), name


@pytest.mark.node
def test_the_joined_script_can_be_read(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = tmp_path / "joined.mjs"
    script.write_text(joined())
    subprocess.run([node, "--check", script], check=True)
