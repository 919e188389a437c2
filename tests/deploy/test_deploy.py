"""From a checkout to a Space: what is said first, what goes up, what stays, what is refused."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from svad import cli
from svad.core.errors import SettingError
from svad.deploy import command
from svad.deploy.errors import DeployError
from svad.deploy.files import belongs, to_upload
from svad.deploy.header import read_header
from svad.deploy.plan import Wish, plan, told
from svad.deploy.space import deploy
from svad.weights import errors
from tests.deploy.conftest import keep
from tests.weights.hub_api import Account, Repository
from tests.weights.hub_server import Hub

REPO = "me/my-space"
PRIVATE = (  # what lies in checkouts and goes nowhere
    *(".venv/bin/python", "node_modules/a.js", "out/avatar.zip", "photo.jpg", "jobs/x/job.json"),
    *(".env", "tests/scratch.png", "examples/.hidden/a.png", "svad/__pycache__/a.cpython-311.pyc"),
)


def strew(root: Path) -> None:
    for name in PRIVATE:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("mine")
    (root / "svad" / "link.py").symlink_to(root / ".env")


def fill(hub: Hub, root: Path, **wish: object) -> list[str]:
    said: list[str] = []
    deploy(plan(Wish(repo=REPO, **wish), root), said.append, endpoint=hub.url)
    return said


@pytest.mark.parametrize("git", [True, False])
def test_only_the_program_goes_up(checkout: Path, git: bool) -> None:
    strew(checkout)
    (checkout / ".gitignore").write_text("__pycache__/\n.hidden/\n")
    if git:
        keep(checkout)
        (checkout / "examples" / "me.jpg").write_text("a photo that git does not know")
    found = to_upload(checkout)
    assert all(belongs(path) for path in found.files)
    assert not set(found.files) & {*PRIVATE, "svad/link.py", "examples/me.jpg"}
    assert {"app.py", "svad/__init__.py", "docs/__init__.py"} <= set(found.files)
    assert found.strangers == (("examples/me.jpg",) if git else ())
    assert found.size == sum((checkout / path).stat().st_size for path in found.files)


def test_this_checkout_is_small_and_whole() -> None:
    found = to_upload(Path(__file__).parents[2])
    assert {"svad/cli.py", "svad/body/data/body.npz", "app.py"} <= set(found.files)
    assert found.size < 100e6 and not [path for path in found.files if "test" in path.split("/")[0]]


def test_what_is_no_checkout_is_told(tmp_path: Path, checkout: Path) -> None:
    with pytest.raises(DeployError, match="not a checkout"):
        to_upload(tmp_path)
    readme = checkout / "README.md"
    readme.write_text(readme.read_text().replace('"3.12"', '"3.9"'))
    with pytest.raises(DeployError, match="python_version is 3.9"):
        plan(Wish(repo=REPO), checkout)


def test_a_dry_run_wants_neither_network_nor_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clean: None
) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    words = ["deploy", REPO, "--dry-run", "--fetch", "quick", "--hardware", "l4x1"]
    assert cli.main([*words, "--weights", "me/mine"]) == 0
    shown = capsys.readouterr().err
    for expected in (
        "spaces/me/my-space", "MusePose", "Variables: GRADIO_SSR_MODE=false, SVAD_FETCH=quick",
        "0.80 dollars an hour", "19.20 a day", "stay away: FLAME_with_eye.pt", "secret HF_TOKEN",
        "non-commercial research only", "yzd-v/DWPose", "examples: ", "Nothing was done",
    ):  # fmt: skip
        assert expected in shown


def test_quota_is_told_where_visitors_pay_with_it(checkout: Path) -> None:
    text = " ".join(told(plan(Wish(repo=REPO, hardware="zero-a10g"), checkout)))
    assert "seconds of their GPU quota" in text and "free account 300" in text
    assert "paid plan" in " ".join(told(plan(Wish(repo=REPO), checkout)))


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"repo": "my-space"}, "me/my-space"),
        ({"repo": "../up"}, "me/my-space"),
        ({"repo": REPO, "weights": "mine"}, "mine is no name"),
        ({"repo": REPO, "hardware": "h9000"}, "cpu-basic"),
        ({"repo": REPO, "fetch": "own"}, "--weights"),
    ],
)
def test_wishes_that_cannot_be(wish: dict, words: str, checkout: Path) -> None:
    with pytest.raises(SettingError, match=words):
        plan(Wish(**wish), checkout)


def test_money_wants_a_yes(capsys: pytest.CaptureFixture[str], clean: None) -> None:
    assert cli.main(["deploy", REPO, "--hardware", "l40sx1"]) == 2
    shown = capsys.readouterr().err
    assert "1.80 dollars" in shown and "Add --yes" in shown


def test_a_new_space_then_an_update(hub: Hub, account: Account, checkout: Path) -> None:
    strew(checkout)
    (checkout / "docs" / "old.md").write_text("old")
    said = fill(hub, checkout, fetch="quick", accepted=True, hardware="l4x1", private=True)
    space = account.repos["spaces", REPO]
    assert "was made" in said[0] and space.private
    asked = space.made_with
    assert (asked["sdk"], asked["hardware"], asked["sleepTimeSeconds"]) == ("gradio", "l4x1", 3600)
    assert {v["key"]: v["value"] for v in asked["variables"]} == {
        "GRADIO_SSR_MODE": "false", "SVAD_FETCH": "quick", "SVAD_ACCEPT_TERMS": "1"
    }  # fmt: skip
    assert space.files["app.py"] == (checkout / "app.py").read_bytes()
    assert not set(space.files) & set(PRIVATE) and "docs/old.md" in space.files
    readme = space.files["README.md"].decode()
    assert read_header(readme)["startup_duration_timeout"] == "1h"
    assert "startup_duration_timeout" not in read_header((checkout / "README.md").read_text())

    (checkout / "docs" / "old.md").unlink()
    space.files["notes-of-its-owner.txt"] = b"stays"
    (checkout / "app.py").write_text("new")
    fill(hub, checkout, hardware="zero-a10g")
    assert space.files["app.py"] == b"new" and "docs/old.md" not in space.files
    assert "notes-of-its-owner.txt" in space.files
    assert space.variables == {"GRADIO_SSR_MODE": "false"} and space.hardware == ["zero-a10g"]


def test_somebody_elses_name_and_another_program_are_left_alone(
    hub: Hub, account: Account, checkout: Path
) -> None:
    with pytest.raises(errors.NotYours, match="me/theirs"):
        deploy(plan(Wish(repo="you/theirs"), checkout), print, endpoint=hub.url)
    other = account.repos["spaces", REPO] = Repository(files={"app.py": b"x", "main.py": b"y"})
    with pytest.raises(DeployError, match="another program"):
        fill(hub, checkout)
    assert set(other.files) == {"app.py", "main.py"} and not other.variables
    other.files = {"README.md": b"fresh from the page", ".gitattributes": b""}
    fill(hub, checkout)
    assert "svad/__init__.py" in other.files


def test_what_the_hub_refuses_has_a_sentence(
    hub: Hub, account: Account, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(Wish(repo=REPO), checkout)

    def failing(kind: type, words: str, endpoint: str = hub.url) -> None:
        with pytest.raises(kind, match=words):
            deploy(made, print, endpoint=endpoint)

    failing(errors.Unreachable, "Check the network", endpoint="http://127.0.0.1:9")
    account.refuses = 402
    failing(errors.ServerFailed, "paid plan")
    account.refuses = 403
    failing(errors.ServerFailed, "right to write")
    monkeypatch.setenv("HF_TOKEN", "bad")
    failing(errors.ServerFailed, "does not know your token")
    monkeypatch.delenv("HF_TOKEN")
    failing(errors.TokenMissing, "set HF_TOKEN")
    assert not account.repos


def test_the_presets_that_can_be_fetched_are_those_with_files() -> None:
    for name in ("quick", "paper", "own"):
        assert command.parser().parse_args([REPO, "--fetch", name]).fetch == name
    with pytest.raises(SystemExit):
        command.parser().parse_args([REPO, "--fetch", "preview"])
