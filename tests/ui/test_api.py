"""The endpoints for programs, and what they refuse."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from svad.media.shot import Shot
from svad.ui.page.blocks import Page
from svad.ui.sharing import token_of
from tests.ui.conftest import save_photo
from tests.ui.page_fakes import FakePipeline
from tests.waiting import WAIT, until

PUBLIC = ("generate", "resume", "status", "animate", "follow", "still", "export", "example")


def connect(url: str, tmp_path: Path, **more: Any) -> Client:
    patient = {"timeout": WAIT}  # it would wait five seconds for some answers
    return Client(
        url, verbose=False, download_files=tmp_path / "client", httpx_kwargs=patient, **more
    )


def ask(url: str, data: list, name: str = "generate") -> str:
    """The events of a call made by hand, without a client that would prepare the data."""
    body = json.dumps({"data": data}).encode()
    call = f"{url}gradio_api/call/{name}"
    request = urllib.request.Request(call, body, {"Content-Type": "application/json"})
    event = json.load(urllib.request.urlopen(request))["event_id"]
    return urllib.request.urlopen(f"{call}/{event}", timeout=WAIT).read().decode()


def status_of(url: str) -> int:
    try:
        return urllib.request.urlopen(url).status
    except urllib.error.HTTPError as error:
        return error.code


def test_generate_streams_in_order_and_ends_with_the_files(
    make_studio, launch, photo: Path, tmp_path: Path
):
    pipeline = FakePipeline(0.05, hold="relief")
    client = connect(launch(make_studio(pipeline)), tmp_path)
    run = client.submit(handle_file(photo), api_name="/generate")
    until(lambda: sum(one["state"] == "running" for one in run.outputs()) >= 3)
    pipeline.go.set()
    results = list(run)
    states = [result["state"] for result in results]
    order = ["looking", "running", "done"]
    assert sorted(states, key=order.index) == states and states[-1] == "done"
    seconds = [r["seconds"] for r in results if r["state"] == "running"]
    assert sorted(seconds) == seconds
    files, job = results[-1]["files"], results[-1]["job"]
    assert {"avatar.zip", "turntable.mp4", "viewer.splat"} <= set(files)
    assert Path(files["avatar.zip"]).read_bytes()[:2] == b"PK"
    video = client.predict(job, "wave", api_name="/animate")
    assert Path(video).read_bytes()[4:8] == b"ftyp"
    _shows_it_as_it_is_asked_to(client, job, pipeline)


def _shows_it_as_it_is_asked_to(client: Client, job: str, pipeline: FakePipeline) -> None:
    """Videos and stills with the choices of the page."""
    video = client.predict(
        job, "wave", camera="orbit", background="#20a040", size=480, fps=30, api_name="/animate"
    )
    assert Path(video).suffix == ".mp4"
    assert pipeline.shots[-1] == Shot(height=480, camera="orbit", background="#20a040", fps=30.0)
    pose = {"turn": 20, "smile": 1}
    picture = client.predict(job, pose, camera="back", background="transparent", api_name="/still")
    assert Path(picture).read_bytes()[1:4] == b"PNG"
    assert pipeline.stills == [(pose, Shot(camera="back", background="transparent"))]


def test_calls_of_programs_leave_no_session_behind(
    make_studio, launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages, forget = [], Page._forget
    monkeypatch.setattr(
        Page, "_forget", lambda self, session: pages.append(self) or forget(self, session)
    )
    url = launch(make_studio())
    for _ in range(3):
        assert "avatar.zip" in ask(url, ["ada"], "example")
        assert "event: error" in ask(url, ["a" * 22], "resume")
    until(lambda: not pages[0].state_holder.session_data)


def test_only_the_endpoints_meant_for_programs_are_there(make_studio, launch, tmp_path: Path):
    url = launch(make_studio())
    info = connect(url, tmp_path).view_api(return_format="dict", print_info=False)
    names = {f"/{name}" for name in PUBLIC}
    assert set(info["named_endpoints"]) == names
    shown = json.load(urllib.request.urlopen(f"{url}gradio_api/openapi.json"))["paths"]
    assert {path.rpartition("/")[2] for path in shown if "/call/" in path} <= {
        *PUBLIC,
        "{event_id}",
    }
    assert not info["unnamed_endpoints"]
    assert status_of(f"{url}gradio_api/runs") == 404
    assert status_of(f"{url}monitoring") in (403, 404)


def test_example_costs_nothing(make_studio, launch, tmp_path: Path):
    pipeline = FakePipeline()
    client = connect(launch(make_studio(pipeline)), tmp_path)
    files = client.predict("ada", api_name="/example")
    assert Path(files["avatar.zip"]).exists() and pipeline.most_running == 0
    with pytest.raises(AppError, match="There are: ada, ben"):
        client.predict("../ada", api_name="/example")


def test_cancel_stops_the_work(make_studio, launch, photo: Path, tmp_path: Path):
    pipeline = FakePipeline(0.05, hold="relief")
    job = connect(launch(make_studio(pipeline)), tmp_path).submit(
        handle_file(photo), api_name="/generate"
    )
    until(job.outputs)  # before its first result the client cannot cancel a call
    until(lambda: pipeline.running == 1)
    job.cancel()
    until(lambda: pipeline.running == 0)


def test_two_visitors_never_see_each_others_files(make_studio, launch, tmp_path: Path):
    pipeline = FakePipeline(0.05, hold="relief")
    studio = make_studio(pipeline)
    url = launch(studio)
    clients = [connect(url, tmp_path / str(k)) for k in range(2)]
    photos = [save_photo(tmp_path / f"{k}.png", 50 * k) for k in range(2)]
    jobs = [
        client.submit(handle_file(photo), api_name="/generate")
        for client, photo in zip(clients, photos, strict=True)
    ]
    until(lambda: any(one["state"] == "waiting" for job in jobs for one in job.outputs()))
    pipeline.go.set()
    results = [list(job) for job in jobs]
    ids = [result[-1]["job"] for result in results]
    assert ids[0] != ids[1]
    for result, mine, other in zip(results, ids, reversed(ids), strict=True):
        assert result[-1]["state"] == "done" and other not in json.dumps(result)
        folder = studio.settings.jobs / mine
        for name in ("input.png", "picture-1", "job.json", "avatar.zip"):
            assert status_of(f"{url}gradio_api/file={folder / name}") == 403


def test_files_nobody_uploaded_are_refused(make_studio, launch, photo: Path, cache: Path):
    studio = make_studio()
    url = launch(studio)
    for sent in (
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        {"path": "/etc/passwd"},
        "/etc/passwd",
        None,
        {"path": f"{cache}/../{photo.name}"},  # climbs out of the cache
    ):
        answer = ask(url, [sent])
        assert "event: error" in answer and "root:" not in answer, sent
        assert not studio.settings.jobs.exists(), sent


def test_what_gradio_refuses_is_a_sentence_and_not_in_the_log(
    make_studio, launch, capfd: pytest.CaptureFixture, caplog
) -> None:
    url = launch(make_studio())
    for name, data in (
        ("animate", ["hush-hush"]),  # too few values
        ("generate", [{"url": "http://127.0.0.1:1/hush-hush", "path": "x", "meta":
            {"_type": "gradio.FileData"}}, None, "default"]),
        ("status", [{"path": "/hush-hush", "meta": {"_type": "gradio.FileData"}}]),
    ):  # fmt: skip
        assert "This call does not fit" in ask(url, data, name), name
        told = capfd.readouterr()
        assert "hush-hush" not in told.out + told.err + caplog.text, name
        assert "Traceback" not in told.err, name


def test_a_body_that_is_not_here_is_a_sentence(make_studio, launch, photo: Path, tmp_path: Path):
    client = connect(launch(make_studio()), tmp_path)
    for body, words in (("mannequin", "no body mannequin"), ("smplx_male", "SMPLX_MALE.npz")):
        with pytest.raises(AppError, match=words):
            client.predict(handle_file(photo), "preview", body, api_name="/generate")


def test_bad_photos_come_back_as_a_sentence(make_studio, launch, tmp_path: Path):
    (tmp_path / "text.png").write_text("This is no picture.")
    client = connect(launch(make_studio()), tmp_path)
    with pytest.raises(AppError, match="not a picture"):
        client.predict(handle_file(tmp_path / "text.png"), api_name="/generate")


def test_too_large_files_are_refused(make_studio, launch, tmp_path: Path):
    (tmp_path / "large.png").write_bytes(bytes(3_000_000))
    url = launch(make_studio(upload_megabytes=1, clip_megabytes=4))
    client = connect(url, tmp_path)
    with pytest.raises(AppError, match="Photos can have up to 1 MB"):
        client.predict(handle_file(tmp_path / "large.png"), api_name="/generate")
    (tmp_path / "clip.mp4").write_bytes(bytes(5_000_000))
    with pytest.raises(ValueError, match="size"):  # it is not even sent
        client.predict(handle_file(tmp_path / "clip.mp4"), api_name="/generate")


def test_a_job_tells_its_state_and_is_gone_on_with(
    make_studio, launch, photo: Path, tmp_path: Path
) -> None:
    pipeline = FakePipeline(0.05, hold="relief")
    studio = make_studio(pipeline)
    client = connect(launch(studio), tmp_path)
    run = client.submit(handle_file(photo), api_name="/generate")
    job = until(lambda: [one for one in run.outputs() if "job" in one])[0]["job"]

    def state() -> dict:
        return client.predict(job, api_name="/status")

    until(lambda: any(s["name"] == "relief" and s["state"] == "running" for s in state()["stages"]))
    assert state()["state"] == "running" and "files" not in state()
    studio.stop(job)
    assert list(run)[-1]["state"] == "stopped"
    pipeline.go.set()
    again = list(client.submit(job, api_name="/resume"))
    assert again[-1]["state"] == "done" and again[-1]["job"] == job
    assert {s["name"]: s["state"] for s in again[-1]["stages"]}["subject"] == "kept"
    assert state()["state"] == "done" and "avatar.zip" in state()["files"]
    assert list(client.submit(job, api_name="/resume"))[-1]["state"] == "done"
    got = client.predict(job, "glb", api_name="/export")
    assert Path(got).read_bytes() == b"glTF"
    for endpoint in ("/status", "/resume"):
        with pytest.raises(AppError, match="link for others"):
            client.predict(token_of(job), api_name=endpoint)
    for name, words in (("animate", "no motion named no"), ("export", "no format named no")):
        with pytest.raises(AppError, match=words):
            client.predict(job, "no", api_name=f"/{name}")


def test_jobs_that_are_not_here_and_words_that_are_none_are_sentences(make_studio, launch) -> None:
    url = launch(make_studio())
    for word, sentence in (
        ("a" * 22, "does not work any more"), ("../jobs", "does not work any more"),
        ("", "named by the word"), (7, "named by the word"), (None, "named by the word"),
        ({"path": "/etc/passwd"}, "named by the word"),
    ):  # fmt: skip
        for endpoint, more in (
            ("status", []), ("resume", []), ("export", ["glb"]),
            ("animate", ["wave", "front", "studio", 720, 0, False, None]),
            ("still", [{}, "front", "studio", 720, None]),
        ):  # fmt: skip
            answer = ask(url, [word, *more], endpoint)
            told = json.loads(answer.rpartition("data: ")[2])
            assert sentence in told["error"], (endpoint, word)
    assert "is a text" in ask(url, [{}], "example")
    assert "is a text" in ask(url, [{"path": "x"}, ["preview"], "default"])


def test_one_caller_of_a_shared_server_cannot_take_all_of_it(
    make_studio, launch, tmp_path: Path
) -> None:
    pipeline = FakePipeline(0.05, hold="relief")
    url = launch(make_studio(pipeline, hosted=True, per_visitor=2, an_hour=3))
    client, other = (
        connect(url, tmp_path, headers={"x-forwarded-for": f"1.1.1.1, {address}, 10.0.0.1"})
        for address in ("8.8.8.8", "8.8.4.4")
    )
    sent = [handle_file(save_photo(tmp_path / f"{k}.png", 9 * k)) for k in range(4)]
    runs = [client.submit(one, api_name="/generate") for one in sent[:2]]
    until(lambda: all(any("job" in one for one in run.outputs()) for run in runs))
    with pytest.raises(AppError, match="2 things are being made for you"):
        client.predict(sent[2], api_name="/generate")
    run = other.submit(sent[2], api_name="/generate")
    until(lambda: any("job" in one for one in run.outputs()))
    pipeline.go.set()
    assert all(list(one)[-1]["state"] == "done" for one in (*runs, run))
    assert client.predict(sent[2], api_name="/generate")["state"] == "done"
    with pytest.raises(AppError, match="3 times within an hour"):
        client.predict(sent[3], api_name="/generate")


def test_models_find_tools_with_words_for_each_argument(make_studio, launch) -> None:
    pytest.importorskip("mcp.server", reason="the package mcp is not installed")
    url = launch(make_studio())
    tools = json.load(urllib.request.urlopen(f"{url}gradio_api/mcp/schema"))
    assert {tool["name"].rpartition("_")[2] for tool in tools} == set(PUBLIC)
    for tool in tools:
        assert tool["description"].endswith(".") or "." in tool["description"]
        for name, about in tool["inputSchema"]["properties"].items():
            assert about.get("description"), (tool["name"], name)
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": next(tool["name"] for tool in tools if tool["name"].endswith("example")),
        "arguments": {"name": "ada"},
    }}  # fmt: skip
    kinds = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    request = urllib.request.Request(f"{url}gradio_api/mcp/", json.dumps(call).encode(), kinds)
    answer = urllib.request.urlopen(request, timeout=WAIT).read().decode()
    assert "avatar.zip" in answer and '"isError":true' not in answer.replace(" ", "")


def test_without_the_package_for_models_the_page_works_and_says_so(
    make_studio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from svad.ui.page.launch import launch_options

    monkeypatch.setitem(sys.modules, "mcp.server", None)
    assert launch_options(make_studio())["mcp_server"] is False
    assert "pip install 'mcp" in caplog.text
