"""Makes or updates the Space that a plan describes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from svad import __version__
from svad.deploy.errors import DeployError
from svad.deploy.files import belongs
from svad.deploy.plan import SLEEP, Plan
from svad.weights.account import asking, require_own, signed_in

if TYPE_CHECKING:
    from huggingface_hub import HfApi

MARK = "svad/__init__.py"  # in every Space of this program
EMPTY = {".gitattributes", "README.md"}  # what the Hub itself puts into a new one


def deploy(
    plan: Plan,
    say: Callable[[str], None],
    *,
    endpoint: str | None = None,  # address of the Hub if not HF_ENDPOINT
) -> str:
    """Does what the plan says; returns the Space's address.

    Files of an earlier deployment that are gone from the checkout go from the Space; others in
    it stay. Raises `TokenMissing`, `NotYours`, `DeployError` for a Space that holds another
    program, and other `WeightsError`s for what the Hub refuses.
    """
    api, repo = signed_in(endpoint), plan.wish.repo
    require_own(api, repo)
    there = _files(api, repo)
    if there is None:
        _make(api, plan)
        say(f"{repo} was made.")
        there = _files(api, repo) or set()
    else:
        _require_ours(there, repo)
        _settings(api, plan)
    gone = sorted(p for p in there if belongs(p) and p not in plan.upload.files)
    say(f"Uploading {len(plan.upload.files)} files; those that have not changed are left alone.")
    _commit(api, plan, gone)
    return f"https://huggingface.co/spaces/{repo}"


def _files(api: HfApi, repo: str) -> set[str] | None:
    """The paths in the Space; None if there is none of that name."""
    from huggingface_hub.errors import RepositoryNotFoundError

    with asking(f"show the Space {repo}"):
        try:
            info = api.space_info(repo)
        except RepositoryNotFoundError:
            return None
    return {file.rfilename for file in info.siblings or ()}


def _require_ours(there: set[str], repo: str) -> None:
    if MARK not in there and there - EMPTY:
        raise DeployError(
            f"https://huggingface.co/spaces/{repo} holds another program "
            f"({', '.join(sorted(there - EMPTY)[:3])}). Nothing was changed. Choose another name."
        )


def _make(api: HfApi, plan: Plan) -> None:
    more: dict[str, Any] = {"space_hardware": plan.wish.hardware} if plan.wish.hardware else {}
    if plan.dollars:
        more["space_sleep_time"] = SLEEP
    with asking(f"make the Space {plan.wish.repo}"):
        api.create_repo(
            plan.wish.repo,
            repo_type="space",
            space_sdk="gradio",
            private=plan.wish.private,
            space_variables=[{"key": k, "value": v} for k, v in plan.variables.items()],
            **more,
        )


def _settings(api: HfApi, plan: Plan) -> None:
    repo, hardware = plan.wish.repo, plan.wish.hardware
    for name, value in plan.variables.items():
        with asking(f"set the variable {name} of {repo}"):
            api.add_space_variable(repo, name, value)
    if hardware:
        with asking(f"give {repo} the hardware {hardware}"):
            api.request_space_hardware(
                repo,
                hardware,  # pyright: ignore[reportArgumentType]
                sleep_time=SLEEP if plan.dollars else None,
            )


def _commit(api: HfApi, plan: Plan, gone: list[str]) -> None:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    contents = {path: str(plan.upload.root / path) for path in plan.upload.files}
    operations = [
        CommitOperationAdd(
            path, plan.readme.encode("utf-8") if path == "README.md" else contents[path]
        )
        for path in contents
    ]
    removals = [CommitOperationDelete(path) for path in gone]
    with asking(f"take the files of {plan.wish.repo}", uploads=True):
        api.create_commit(
            plan.wish.repo,
            [*operations, *removals],
            repo_type="space",
            commit_message=f"SVAD {__version__}",
        )
