"""Where pretrained files lie on this machine: the person's own, our cache, the Hub's cache."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from svad.core.errors import MissingWeights
from svad.core.files import write_json
from svad.core.places import cache_folder, expanded
from svad.weights.archive import ready
from svad.weights.convert import convert
from svad.weights.errors import ManifestError, UnsafeFile, WrongChecksum
from svad.weights.manifest import FORMATS, MANIFEST, UNPINNED, Entry, load_manifest, override

RECORD = "record.json"
VERDICTS = "verdicts.json"
OWN_LIST = "weights.yaml"  # inside the folder of own files: entry -> other file or repository
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")  # of the Hub
CHUNK = 1 << 22  # bytes hashed at a time

Tick = Callable[[int, int], None]
"""`tick(bytes done, bytes in all)`, called while a file is hashed."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file of the manifest on this machine."""

    path: Path
    origin: str  # "own file" | "SVAD cache" | "Hub cache"
    sha256: str | None  # what the bytes at `path` must hash to; None = nobody has said yet


class Store:
    """Answers where each entry lies. Never downloads."""

    def __init__(
        self,
        entries: Mapping[str, Entry],
        cache: Path,  # ours; made when first written to
        own: Path | None = None,  # the person's folder of files
        unread: str = "",  # a repository of theirs that was not looked through yet
    ) -> None:
        self.entries, self.cache, self.own, self.unread = dict(entries), cache, own, unread
        self._bases = Counter(entry.base for entry in self.entries.values())

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, manifest: Path = MANIFEST
    ) -> Store:
        """The store that SVAD_WEIGHTS and SVAD_CACHE describe.

        SVAD_WEIGHTS is a folder, a list in YAML, or a repository NAME/NAME on the Hub, of which
        the list that `own_repo.store_to_fill` keeps is read. Raises `ManifestError` when it names
        nothing that exists, or a wrong list.
        """
        environ = os.environ if environ is None else environ
        entries = load_manifest(manifest)
        own = expanded(environ["SVAD_WEIGHTS"]) if environ.get("SVAD_WEIGHTS") else None
        repo, unread = named_repository(environ), ""
        if repo:
            own, listed = None, list_of(repo, environ)
            known = listed.is_file()
            entries, unread = (override(entries, listed), "") if known else (entries, repo)
        if own and own.is_dir():
            if (own / OWN_LIST).is_file():
                entries = override(entries, own / OWN_LIST)
        elif own and own.is_file():
            entries, own = override(entries, own), None
        elif own:
            what = "that is a device or a pipe" if own.exists() else "nothing is there"
            raise ManifestError(
                f"SVAD_WEIGHTS is {own}, but {what}. It should be a folder with "
                f"pretrained files, a YAML list that says which entry is which file, or a "
                f"repository on the Hub, such as me/my-weights."
            )
        return cls(entries, cache_folder(environ) / "weights", own, unread)

    def entry(self, name: str) -> Entry:
        """The manifest entry; raises `ManifestError` for a name that is not in it."""
        if name not in self.entries:
            raise ManifestError(f"{name} is no entry of the manifest of pretrained files.")
        return self.entries[name]

    def of_preset(self, preset: str) -> list[Entry]:
        """All files that the preset reads if they are there."""
        return [entry for entry in self.entries.values() if preset in entry.presets]

    def missing(self, preset: str) -> list[Entry]:
        """The files the preset cannot run without that are not on this machine."""
        needed = (e for e in self.entries.values() if preset in e.required_for)
        return [entry for entry in needed if self.locate(entry.name) is None]

    def locate(self, name: str) -> Found | None:
        """Where the file lies, as it came; None if it is not on this machine."""
        entry = self.entry(name)
        if entry.path is not None:  # said plainly: nothing else takes its place
            pinned = None if entry.sha256 == UNPINNED else entry.sha256
            there = entry.path.is_file()
            return Found(path=entry.path, origin="own file", sha256=pinned) if there else None
        for path in self._own_places(entry):
            if path.is_file():
                return Found(path=path, origin="own file", sha256=None)
        return self._in_cache(entry) or (self._in_hub_cache(entry) if entry.repo else None)

    def resolve(self, name: str) -> Path:
        """The file, ready to be read without running anything in it.

        `entry:path` is a file inside an archive; the person may also have put that file itself
        into their folder. Pickled checkpoints are converted to safetensors once. Raises
        `MissingWeights`, `WrongChecksum`, `UnsafeFile`, `NoRoom`, `OutputError`.
        """
        name, _, member = name.partition(":")
        entry = self.entry(name)
        if member and (own := self._own_member(entry, member)):
            return ready(own.path, member, self.folder(entry))
        found = self.locate(name)
        if found is None:
            raise MissingWeights(entry.file, entry.where, entry.terms, self.advice(entry))
        if found.origin != "SVAD cache" and found.sha256 is not None:
            self._trust(found)
        if member:
            return ready(found.path, member, self.folder(entry))
        form = FORMATS.get(found.path.suffix, entry.format)
        if form == "objects":
            raise UnsafeFile(
                f"{found.path} holds Python objects, which could run code, so it is not opened. "
                f"Convert it to .npz or .safetensors first and point the entry {name} to that."
            )
        return self._converted(entry, found) if form == "pickle" else found.path

    def advice(self, entry: Entry) -> str:
        """What to do about a missing file, in a sentence."""
        if entry.path is not None:
            return f"Your own list says it is {entry.path}, but no file is there."
        own = f"put it into a folder as {entry.base if self._alone(entry) else entry.file}"
        if not self._alone(entry) and "/" not in entry.file:
            own = f"put it into a folder as {entry.name}/{entry.base}"
        bring = f"{own} and set SVAD_WEIGHTS to that folder"
        if entry.gate == "user-supplied":
            return f"Get it from there yourself, {bring}."
        return f"Fetch it with `python -m svad weights --download`, or {bring}."

    def folder(self, entry: Entry) -> Path:
        """The entry's folder in our cache."""
        return self.cache / entry.name

    def record(self, entry: Entry, path: Path, *, revision: str, sha256: str) -> None:
        """Notes that `path`, in the entry's folder, is the file as it came."""
        origin = {"repo": entry.repo, "file": entry.file, "revision": revision, "sha256": sha256}
        stored = {"stored": path.name, "stored_sha256": sha256}
        write_json(self.folder(entry) / RECORD, origin | stored)

    def expected(self, found: Found) -> str | None:
        """The sha256 the bytes must have: from manifest, record, or the Hub cache's own name."""
        blob = os.path.basename(os.path.realpath(found.path))
        if found.sha256 is None and found.origin == "Hub cache" and len(blob) == 64:
            return blob
        return found.sha256

    def _own_places(self, entry: Entry) -> list[Path]:
        return [] if self.own is None else [self.own / place for place in self.places(entry)]

    def places(self, entry: Entry) -> list[str]:
        """The paths at which a file is looked for below a folder of the person's, best first."""
        places = [f"{entry.name}/{entry.base}", *([entry.file] if "/" in entry.file else [])]
        if entry.repo:
            places.append(f"{entry.repo}/{entry.file}")
        if self._alone(entry):
            places.append(entry.base)
        safer = {"pickle": (".safetensors",), "objects": (".safetensors", ".npz")}
        suffixes = safer.get(entry.format, ())
        first = [PurePosixPath(place).with_suffix(end) for place in places for end in suffixes]
        return [*map(str, first), *places]

    def _alone(self, entry: Entry) -> bool:
        return self._bases[entry.base] == 1

    def _in_cache(self, entry: Entry) -> Found | None:
        record = _json(self.folder(entry) / RECORD)
        same = (record.get("repo"), record.get("file")) == (entry.repo, entry.file)
        if entry.sha256 != UNPINNED:
            same = same and record.get("sha256") == entry.sha256
        elif entry.revision != UNPINNED:
            same = same and record.get("revision") == entry.revision
        path = self.folder(entry) / str(record.get("stored", ""))
        if not same or not path.is_file():
            return None
        return Found(path=path, origin="SVAD cache", sha256=record.get("stored_sha256"))

    def _in_hub_cache(self, entry: Entry) -> Found | None:
        from huggingface_hub import try_to_load_from_cache

        revision = None if entry.revision == UNPINNED else entry.revision
        path = try_to_load_from_cache(entry.repo, entry.file, revision=revision)
        if not isinstance(path, str) or not Path(path).is_file():
            return None
        pinned = None if entry.sha256 == UNPINNED else entry.sha256
        return Found(path=Path(path), origin="Hub cache", sha256=pinned)

    def _trust(self, found: Found) -> None:
        """Hashes a file we did not fetch ourselves, once; the verdict is kept."""
        stat = found.path.stat()
        key = f"{found.path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
        verdicts = _json(self.cache / VERDICTS)
        digest = verdicts.get(key) or sha256_of(found.path)
        if digest != found.sha256:
            raise WrongChecksum(wrong(found.path, str(found.sha256), digest))
        if key not in verdicts:
            write_json(self.cache / VERDICTS, verdicts | {key: digest})

    def _converted(self, entry: Entry, found: Found) -> Path:
        """The safetensors copy of a pickle, made now if it is not there."""
        folder = self.folder(entry)
        if found.origin == "SVAD cache":
            target = found.path.with_suffix(".safetensors")
            convert(found.path, target, entry.root)
            record = _json(folder / RECORD)
            stored = {"stored": target.name, "stored_sha256": sha256_of(target)}
            write_json(folder / RECORD, record | stored)
            found.path.unlink()  # its sha256 stays in the record
            return target
        stat = found.path.stat()
        mark = f"{found.path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{entry.root}"
        key = hashlib.sha256(mark.encode()).hexdigest()[:16]
        target = folder / f"own-{key}.safetensors"
        if not target.is_file():
            convert(found.path, target, entry.root)
            for old in folder.glob("own-*.safetensors"):
                if old != target:
                    old.unlink()
        return target

    def _own_member(self, entry: Entry, member: str) -> Found | None:
        """A file of an archive that the person has unpacked themselves."""
        if self.own is None:
            return None
        places = [self.own / entry.name / member, self.own / member]
        paths = [path for place in places for path in (place.with_suffix(".safetensors"), place)]
        there = next((path for path in paths if path.is_file()), None)
        return Found(path=there, origin="own file", sha256=None) if there else None


def named_repository(environ: Mapping[str, str]) -> str:
    """The repository on the Hub that SVAD_WEIGHTS names; "" if it is something on this machine."""
    value = environ.get("SVAD_WEIGHTS", "")
    there = bool(REPOSITORY.fullmatch(value)) and not expanded(value).exists()
    return value if there else ""


def list_of(repo: str, environ: Mapping[str, str]) -> Path:
    """The list of what a repository of the person's holds, once it was looked through."""
    return cache_folder(environ) / "weights" / "repositories" / f"{repo.replace('/', '--')}.yaml"


def sha256_of(path: Path, tick: Tick | None = None) -> str:
    """The sha256 of a file's bytes, in hex."""
    digest, done, size = hashlib.sha256(), 0, path.stat().st_size
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            done += len(chunk)
            if tick:
                tick(done, size)
    return digest.hexdigest()


def wrong(path: Path, expected: str, found: str) -> str:
    """The sentence about a file whose content is not what it should be."""
    return (
        f"{path} is damaged or another version: its sha256 is {found}, {expected} was expected. "
        "Delete it and fetch it again."
    )


def _json(path: Path) -> dict[str, Any]:
    """A small JSON table; an absent or damaged one counts as empty and is written anew."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
