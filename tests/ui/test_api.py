"""The endpoints for programs, and what they refuse."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from tests.ui.conftest import save_photo
from tests.ui.page_fakes import FakePipeline


def connect(url: str, tmp_path: Path) -> Client:
    return Client(url, verbose=False, download_files=tmp_path / "client")


def ask(url: str, data: list, name: str = "generate") -> str:
    """The events of a call made by hand, without a client that would prepare the data."""
    body = json.dumps({"data": data}).encode()
    call = f"{url}gradio_api/call/{name}"
    request = urllib.request.Request(call, body, {"Content-Type": "application/json"})
    event = json.load(urllib.request.urlopen(request))["event_id"]
    return urllib.request.urlopen(f"{call}/{event}", timeout=20).read().decode()


def status_of(url: str) -> int:
    try:
        return urllib.request.urlopen(url).status
    except urllib.error.HTTPError as error:
        return error.code


def test_generate_streams_in_order_and_ends_with_the_files(
    make_studio, launch, photo: Path, tmp_path: Path
):
    url = launch(make_studio(FakePipeline(0.3)))
    client = connect(url, tmp_path)
    results = list(client.submit(handle_file(photo), api_name="/generate"))
    states = [result["state"] for result in results]
    order = ["looking", "running", "done"]
    assert sorted(states, key=order.index) == states and states[-1] == "done"
    assert states.count("running") >= 3
    seconds = [r["seconds"] for r in results if r["state"] == "running"]
    assert sorted(seconds) == seconds
    files = results[-1]["files"]
    assert {"avatar.zip", "turntable.mp4", "viewer.splat"} <= set(files)
    assert Path(files["avatar.zip"]).read_bytes()[:2] == b"PK"
    video = client.predict(results[-1]["job"], "wave", api_name="/animate")
    assert Path(video).read_bytes()[4:8] == b"ftyp"


def test_only_the_endpoints_meant_for_programs_are_there(make_studio, launch, tmp_path: Path):
    url = launch(make_studio())
    info = connect(url, tmp_path).view_api(return_format="dict", print_info=False)
    assert set(info["named_endpoints"]) == {"/generate", "/animate", "/follow", "/example"}
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
    pipeline = FakePipeline(1.5)
    job = connect(launch(make_studio(pipeline)), tmp_path).submit(
        handle_file(photo), api_name="/generate"
    )
    while not job.outputs():  # before its first result the client cannot cancel a call
        time.sleep(0.05)
    while pipeline.running == 0:
        time.sleep(0.05)
    job.cancel()
    begin = time.monotonic()
    while pipeline.running and time.monotonic() - begin < 3:
        time.sleep(0.05)
    assert pipeline.running == 0


def test_two_visitors_never_see_each_others_files(make_studio, launch, tmp_path: Path):
    studio = make_studio(FakePipeline(0.2))
    url = launch(studio)
    clients = [connect(url, tmp_path / str(k)) for k in range(2)]
    photos = [save_photo(tmp_path / f"{k}.png", 50 * k) for k in range(2)]
    jobs = [
        client.submit(handle_file(photo), api_name="/generate")
        for client, photo in zip(clients, photos, strict=True)
    ]
    results = [list(job) for job in jobs]
    assert any(r["state"] == "waiting" for result in results for r in result)
    ids = [result[-1]["job"] for result in results]
    assert ids[0] != ids[1]
    for result, mine, other in zip(results, ids, reversed(ids), strict=True):
        assert result[-1]["state"] == "done" and other not in json.dumps(result)
        folder = studio.settings.jobs / mine
        for name in ("input.png", "picture-1", "job.json", "avatar.zip"):
            assert status_of(f"{url}gradio_api/file={folder / name}") == 403


@pytest.mark.parametrize(
    "data",
    [
        [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}],
        [{"path": "/etc/passwd"}],
        ["/etc/passwd"],
        [None],
    ],
)
def test_files_nobody_uploaded_are_refused(make_studio, launch, data: list):
    studio = make_studio()
    answer = ask(launch(studio), data)
    assert "event: error" in answer and "root:" not in answer
    assert not studio.settings.jobs.exists()


def test_a_path_that_climbs_out_of_the_cache_is_refused(
    make_studio, launch, photo: Path, cache: Path
):
    answer = ask(launch(make_studio()), [{"path": f"{cache}/../{photo.name}"}])
    assert "event: error" in answer


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
