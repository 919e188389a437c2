"""The Dockerfile, read without Docker: what it copies is here, and it starts what there is."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

from svad.core.places import cache_folder
from svad.ui.address import PORT, wanted_host, wanted_port

ROOT = Path(__file__).parents[1]
WORDS = {
    *("FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD")
}


def steps() -> list[tuple[str, str]]:
    """Instruction and the rest of it, in order; continued lines are one."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def of(word: str) -> list[str]:
    return [rest for instruction, rest in steps() if instruction == word]


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for rest in of("ENV") for pair in shlex.split(rest))


def copied() -> list[str]:
    return [source for rest in of("COPY") for source in shlex.split(rest)[:-1]]


def test_every_step_is_one_and_the_base_has_cuda_and_a_version() -> None:
    assert {instruction for instruction, _ in steps()} == WORDS
    (base,) = of("FROM")
    assert re.fullmatch(r"nvidia/cuda:\d+\.\d+\.\d+-runtime-ubuntu24\.04", base)


def test_what_is_copied_is_here_and_let_through() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"  # nothing but what follows
    through = {line[1:] for line in ignored if line.startswith("!")}
    assert set(copied()) == through
    for source in copied():
        assert (ROOT / source).exists(), source
        assert not any(fnmatch(source, line) for line in ignored if line.startswith("**"))


def test_it_installs_what_the_space_does_and_fetches_no_weights() -> None:
    (pip,) = [rest for rest in of("RUN") if "pip install" in rest]
    assert shlex.split(pip)[-2:] == ["-r", "requirements.txt"]
    assert "requirements.txt" in copied()
    for rest in of("RUN"):
        assert not re.search(r"--download|SVAD_FETCH|curl|wget|hf download|huggingface", rest)
    assert not {"SVAD_FETCH", "SVAD_ACCEPT_TERMS", "HF_TOKEN"} & environment().keys()


def test_the_runs_of_the_shell_are_well_formed() -> None:
    for rest in of("RUN"):
        done = subprocess.run(["sh", "-n", "-c", rest], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_whoever_runs_it_is_not_root_and_owns_the_cache() -> None:
    order = [instruction for instruction, _ in steps()]
    (user,), (volume,) = of("USER"), of("VOLUME")
    made = next(rest for rest in of("RUN") if "useradd" in rest)
    assert user not in ("root", "0") and f"--uid 10001 {user}" in made
    assert f"-o {user} -g {user} {volume}" in made
    assert order.index("USER") > max(k for k, word in enumerate(order) if word in ("COPY", "RUN"))
    assert cache_folder(environment()).is_relative_to(volume)
    assert Path(environment()["HF_HOME"]).is_relative_to(volume)


def test_port_address_and_command_are_those_of_the_page() -> None:
    (command,), (exposed,), (health,) = of("CMD"), of("EXPOSE"), of("HEALTHCHECK")
    program, script = json.loads(command)
    assert program == "python" and (ROOT / script).is_file() and script in copied()
    assert wanted_port(environment()) == int(exposed) == PORT
    assert wanted_host(environment(), hosted=False) == "0.0.0.0"
    probe = json.loads(health.partition("CMD ")[2])
    assert probe[:2] == ["python", "-c"] and f"127.0.0.1:{exposed}/" in probe[2]
    compile(probe[2], "health", "exec")


def test_the_page_is_for_this_computer_alone_unless_somebody_says_otherwise() -> None:
    assert wanted_host({}, hosted=False) == "127.0.0.1"
    assert wanted_host({}, hosted=True) == "0.0.0.0"
    assert wanted_host({"GRADIO_SERVER_NAME": ""}, hosted=False) == "127.0.0.1"


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        ["hadolint", str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
