"""The manifest of pretrained files, and a person's own list that points entries elsewhere."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import yaml

from svad.core.given import read_given
from svad.core.places import expanded
from svad.weights.errors import ManifestError

INSTALLED = Path(__file__).with_name("weights_manifest.yaml")  # there where a wheel was installed
CHECKOUT = Path(__file__).parents[2] / "weights_manifest.yaml"
MANIFEST = INSTALLED if INSTALLED.exists() else CHECKOUT
LARGEST = 10_000_000  # bytes of a list
UNPINNED = "to be pinned"
GATES = ("none", "accept-terms", "user-supplied")
FORMATS = {  # by suffix; a pickle is a checkpoint that holds tensors and plain values only
    ".safetensors": "safetensors",
    ".onnx": "onnx",
    ".json": "json",
    ".obj": "obj",
    ".npz": "npz",
    ".npy": "npy",
    ".tar": "tar",
    ".pth": "pickle",
    ".pt": "pickle",
    ".bin": "pickle",
    ".ckpt": "pickle",
    ".pkl": "objects",  # Python objects: never opened here, converted by the person
}
COMMIT, SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")
NAME = re.compile(r"[a-z0-9_]+")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the compiled one, where PyYAML has it


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One pretrained file."""

    name: str  # by which stages and people ask for it
    stage: str
    file: str  # path inside the repository, or the usual name of a user-supplied file
    format: str  # a value of FORMATS
    license: str
    license_url: str
    terms: str  # one phrase for a person
    gate: str  # none | accept-terms | user-supplied
    required_for: tuple[str, ...]  # presets that cannot run without it
    useful_for: tuple[str, ...] = ()  # presets that leave a step out without it
    repo: str = ""  # on the Hub; empty for user-supplied files
    revision: str = UNPINNED  # commit
    sha256: str = UNPINNED
    size: int | None = None  # bytes, an estimate while sha256 is to be pinned; None = not known
    url: str = ""  # of a file that its authors publish on a page of their own
    source: str = ""  # web page of a file that is not on the Hub
    root: str = ""  # key inside a checkpoint below which the tensors lie
    path: Path | None = None  # the person's own file

    @property
    def where(self) -> str:
        """Where the file comes from, for a person."""
        return f"https://huggingface.co/{self.repo}" if self.repo else self.source or self.url

    @property
    def online(self) -> bool:
        """Whether a program can fetch it."""
        return bool(self.repo or self.url) and self.path is None

    @property
    def home(self) -> str:
        """The repository, or the server, that has the file."""
        return self.repo or urlsplit(self.url).hostname or self.source

    @property
    def base(self) -> str:
        """The file name alone."""
        return PurePosixPath(self.file).name

    @property
    def notice(self) -> str:
        """File, licence and terms, for the card of a result that was made with it."""
        return f"{self.base} ({self.license}): {self.terms}"

    @property
    def presets(self) -> tuple[str, ...]:
        """The presets that read this file."""
        return (*self.required_for, *self.useful_for)


def load_manifest(path: Path = MANIFEST) -> dict[str, Entry]:
    """All files that may have to be fetched, by name. Raises `ManifestError`."""
    tree = _read(path)
    entries: dict[str, Entry] = {}
    for values in [*tree.get("downloads", []), *tree.get("user_supplied", [])]:
        entry = _entry(values, path)
        if entry.name in entries:
            raise ManifestError(f"{path.name} lists {entry.name} twice.")
        entries[entry.name] = entry
    return entries


def override(
    entries: Mapping[str, Entry],
    path: Path,  # yaml: entry name -> {path}, {repo, file, revision, sha256} or {url, sha256}
) -> dict[str, Entry]:
    """The entries with a person's own files and repositories in place. Raises `ManifestError`."""
    changed = dict(entries)
    for name, values in _read(path).items():
        if name not in changed:
            near = difflib.get_close_matches(str(name), changed, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ManifestError(f"{path} names {name}, which is no entry of the manifest.{hint}")
        if not isinstance(values, dict):
            values = {"path": values}
        changed[name] = _overridden(changed[name], values, path)
    return changed


def _overridden(entry: Entry, values: dict[str, Any], origin: Path) -> Entry:
    known = {"path", "repo", "url", "file", "revision", "sha256", "size"}
    ways = {"path", "repo", "url"} & set(values)
    if set(values) - known or len(ways) != 1:
        raise ManifestError(
            f"{origin}: {entry.name} needs either `path: FILE` or `repo: NAME/NAME` with `file`, "
            f"`revision` and `sha256` where they differ, or `url: https://...` with `sha256`; "
            f"found {', '.join(map(str, values))}."
        )
    sha256 = str(values.get("sha256", UNPINNED))
    if "path" in values:
        path = origin.parent / expanded(str(values["path"]))
        return _checked(replace(entry, path=path, sha256=sha256), origin)
    address = str(values.get("url", ""))
    file = str(values.get("file", urlsplit(address).path.rpartition("/")[2] or entry.file))
    size = values.get("size")
    changed = replace(
        entry,
        repo=str(values.get("repo", "")),
        url=address,
        file=file,
        format=FORMATS.get(PurePosixPath(file).suffix, entry.format),
        revision=str(values.get("revision", UNPINNED)),
        sha256=sha256,
        size=size if isinstance(size, int) and size > 0 else None,
        gate="none",  # their own copy: they have settled the terms
    )
    return _checked(changed, origin)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = read_given(path, LARGEST, ManifestError).decode("utf-8")
        tree = yaml.load(text, LOADER) or {}  # safe: values only, as `safe_load`
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ManifestError(f"{path} cannot be read as YAML ({error}).") from error
    if not isinstance(tree, dict):
        raise ManifestError(f"{path} should hold names with values, not a {type(tree).__name__}.")
    return tree


def _entry(values: Any, origin: Path) -> Entry:
    if not isinstance(values, dict):
        raise ManifestError(f"{origin.name}: an entry is a {type(values).__name__}, not a table.")
    unknown = set(values) - {f.name for f in fields(Entry)} | {"path"} & set(values)
    if unknown:
        raise ManifestError(f"{origin.name}: {values.get('name')} has unknown keys {unknown}.")
    lists = {key: tuple(values.get(key, ())) for key in ("required_for", "useful_for")}
    try:
        return _checked(Entry(**{**values, **lists}), origin)
    except TypeError as error:
        raise ManifestError(f"{origin.name}: {values.get('name')}: {error}.") from error


def _checked(entry: Entry, origin: Path) -> Entry:
    pins = ((entry.revision, COMMIT, "a 40-digit commit"), (entry.sha256, SHA256, "a sha256"))
    for value, form, words in pins:
        if value != UNPINNED and not form.fullmatch(value):
            raise ManifestError(
                f'{origin.name}: {entry.name} has "{value}" where {words} or "{UNPINNED}" belongs.'
            )
    parts = PurePosixPath(entry.file).parts
    wrong = None
    if not NAME.fullmatch(entry.name):
        wrong = "its name may hold a-z, 0-9 and _ only"
    elif entry.gate not in GATES:
        wrong = f"gate is {entry.gate}, not one of {', '.join(GATES)}"
    elif entry.format not in FORMATS.values():
        wrong = f"format is {entry.format}, not one of {', '.join(sorted(set(FORMATS.values())))}"
    elif not parts or ".." in parts or entry.file.startswith("/") or "\\" in entry.file:
        wrong = f"file is {entry.file!r}, not a path inside a repository"
    elif entry.repo and not re.fullmatch(r"[\w.-]+/[\w.-]+", entry.repo):
        wrong = f"repo is {entry.repo!r}, not NAME/NAME"
    elif entry.repo and entry.url:
        wrong = "it has a repo and a url; one of them says where the file is"
    elif not entry.repo and not entry.url and not entry.source:
        wrong = "it has neither a repo, nor a url, nor a source"
    elif entry.url and not _encrypted(entry.url):
        wrong = f"url is {entry.url!r}, which does not begin with https://"
    elif entry.url and entry.path is None and entry.sha256 == UNPINNED:
        wrong = "a url needs the sha256 of what lies there"
    if wrong:
        raise ManifestError(f"{origin.name}: {entry.name}: {wrong}.")
    return entry


def _encrypted(url: str) -> bool:
    """Whether nobody on the way can change what comes from there; this machine is no way."""
    address = urlsplit(url)
    here = address.scheme == "http" and address.hostname in ("localhost", "127.0.0.1", "::1")
    return (address.scheme == "https" and bool(address.hostname)) or here
