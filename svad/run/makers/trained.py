"""Avatars that the published program trained, and the bodies they may stand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from svad.core.errors import MissingFile
from svad.run.bodies import bodies_here, own_body
from svad.types import Avatar, Report

if TYPE_CHECKING:
    from svad.avatar.published.layer import BodyLayer
    from svad.avatar.published.snapshot import Snapshot


def trained_avatar(
    snapshot: Path,
    face_offset: Path,
    own: Path | None,  # a person's own SMPL-X file; None = the body stored in the snapshot
    report: Report,
) -> Avatar:
    """The avatar of a published training, on the body it was trained on.

    Where the snapshot holds none that fits, the SMPL-X files on this machine are tried. Raises
    `SnapshotError`, `UnsafeFile`, `OtherBody` and `MissingFile`.
    """
    from svad.avatar.published.adopt import adopted
    from svad.avatar.published.fit import OtherBody, plans_for
    from svad.avatar.published.snapshot import read_face_offset
    from svad.body.smplx_file import SOURCE, TERMS

    report(0, 100, "reading the snapshot")
    read = read_snapshot(snapshot)
    refused: OtherBody | None = None
    for layer in [own_layer(own)] if own else _layers(read.layer):
        report(0, 100, "comparing the body")
        try:
            plans = plans_for(read.buffers, layer)
        except OtherBody as error:
            refused = refused or error
            continue
        offset = read_face_offset(face_offset, len(layer.template))
        return adopted(read, layer, plans, offset, report)
    if refused is not None:
        raise refused
    advice = f"{read.name} does not hold the body that it was trained on. Set SVAD_WEIGHTS"
    raise MissingFile(
        "SMPLX_NEUTRAL.npz (or _MALE, _FEMALE)", SOURCE, TERMS,
        f"{advice} to the folder that holds yours.",
    )  # fmt: skip


def read_snapshot(path: Path) -> Snapshot:
    """A published avatar; nothing in its file is run, and the optimiser's numbers are not kept.

    Raises `SnapshotError` for a file of another network, `UnsafeFile` for one that is damaged or
    holds code.
    """
    from svad.avatar.published.snapshot import ADVICE, snapshot_of
    from svad.weights.convert import read_checkpoint
    from svad.weights.errors import UnsafeFile

    try:
        return snapshot_of(read_checkpoint(path, "network", numpy_scalars=True), path.name)
    except UnsafeFile as error:
        raise UnsafeFile(f"{error} {ADVICE}") from error


def own_layer(path: Path) -> BodyLayer:
    """The published body of an SMPL-X file: with 50 expressions, its hands curled."""
    from svad.avatar.published.layer import BodyLayer
    from svad.body.smplx_file import load_smplx_body, mean_hands

    return BodyLayer.of(load_smplx_body(path), mean_hands(path))


def _layers(stored: BodyLayer | None) -> Iterator[BodyLayer]:
    """The bodies that a snapshot may have been trained on, the likeliest first."""
    if stored is not None:
        yield stored
    for name in bodies_here():
        own = own_body(name)
        if own is not None:
            yield own_layer(own.path)
