"""The part of the Hub that knows accounts: who asks, repositories made, files taken, settings."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

from tests.weights.hub_server import COMMIT, Hub, sha256


@dataclass
class Repository:
    """One model or Space."""

    private: bool = True
    files: dict[str, bytes] = field(default_factory=dict)
    made_with: dict = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    hardware: list[str] = field(default_factory=list)  # asked for


@dataclass
class Account:
    """The account `me` with the group `lab`, and what others have."""

    repos: dict[tuple[str, str], Repository] = field(default_factory=dict)  # (kind, name)
    refuses: int = 0  # HTTP state for whoever makes a repository
    opens: bool = False  # makes every repository public, whatever was asked

    def __call__(self, method: str, path: str, sent: bytes) -> tuple[int, object]:
        """State and JSON of an answer."""
        parts = path.strip("/").split("/")[1:]
        if parts[0] == "whoami-v2":
            return 200, {"type": "user", "name": "me", "orgs": [{"name": "lab"}]}
        if parts[0] == "validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if parts == ["repos", "create"]:
            return self._create(json.loads(sent))
        found = self.repos.get((parts[0], "/".join(parts[1:3])))
        if found is None:
            return 404, "no such repository"
        return self._ask(found, "/".join(parts[1:3]), method, parts[3:], sent)

    def _create(self, asked: dict) -> tuple[int, object]:
        if self.refuses:
            return self.refuses, "Creating this requires a paid plan"
        name = f"{asked['organization']}/{asked['name']}"
        private = asked.get("visibility") == "private" or asked.get("private") is True
        kind = f"{asked.get('type', 'model')}s"
        self.repos[kind, name] = Repository(private and not self.opens, made_with=asked)
        return 200, {"url": f"https://huggingface.co/{name}"}

    def _ask(
        self, repo: Repository, name: str, method: str, rest: list[str], sent: bytes
    ) -> tuple[int, object]:
        if not rest or rest[0] == "revision":
            files = [_described(path, content) for path, content in repo.files.items()]
            return 200, {"id": name, "private": repo.private, "sha": COMMIT, "siblings": files}
        if rest[0] == "preupload":
            asked = [file["path"] for file in json.loads(sent)["files"]]
            usual = {"uploadMode": "regular", "shouldIgnore": False}
            return 200, {"files": [{"path": path} | usual for path in asked]}
        if rest[0] == "commit":
            return self._commit(repo, name, sent)
        asked = json.loads(sent or b"{}")
        if rest[0] == "variables":
            repo.variables[asked["key"]] = asked["value"]
            return 200, {key: {"value": value} for key, value in repo.variables.items()}
        if rest[0] == "hardware":
            repo.hardware.append(asked["flavor"])
            return 200, {"stage": "BUILDING", "hardware": {"requested": asked["flavor"]}}
        return 404, f"{method} {rest}"

    def _commit(self, repo: Repository, name: str, sent: bytes) -> tuple[int, object]:
        for line in map(json.loads, sent.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del repo.files[value["path"]]
        url = f"https://huggingface.co/{name}/commit/{COMMIT}"
        return 200, {"commitUrl": url, "commitOid": COMMIT}


def _described(path: str, content: bytes) -> dict:
    lfs = {"sha256": sha256(content), "size": len(content), "pointerSize": 100}
    large = path.endswith((".safetensors", ".ckpt", ".npz"))
    return {"rfilename": path, "size": len(content)} | ({"lfs": lfs} if large else {})


def with_account(hub: Hub) -> Account:
    """Gives a Hub an account."""
    hub.api = account = Account()
    return account
