"""Stage 6: the finished avatar becomes the files a person takes home."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from svad.body.poser import Poser
from svad.body.skeleton import JOINTS
from svad.config import PackageConfig
from svad.core.files import write_bytes
from svad.export.archive import card_text, loader_example, write_archive
from svad.export.glb import Track, avatar_glb
from svad.export.notes import licence, readme
from svad.export.rig import rig_bytes
from svad.export.stills import draw_front, draw_poses, draw_views, over_white
from svad.export.viewer import viewer_copy
from svad.media.images import fit_within, save_png
from svad.media.video import write_mp4
from svad.motion.authored import authored
from svad.motion.standing import a_pose
from svad.motion.stills import POSES
from svad.splat.files import save_ply, save_splat
from svad.splat.gaussians import Gaussians
from svad.splat.render import spatial_order
from svad.splat.scene import turntable
from svad.types import Avatar, Pose, Report, Result, Subject

HEAD = (12, 15, 22, 23, 24)  # neck, head, jaw, eyes: kept in full in the viewer copy
THUMBNAIL = 320  # px, longest side of a progress picture
SHOWN = 12  # every so many turntable frames one is shown
FPS = 24.0
FILES = 5  # steps besides pictures: Gaussians, viewer copy, rig, mesh, archive


class PackageStage:
    """Writes the pictures, the turntable, the 3D files and the archive into the job folder."""

    def __init__(self, config: PackageConfig) -> None:
        self.config = config

    @torch.inference_mode()
    def run(
        self,
        subject: Subject,
        avatar: Avatar,
        folder: Path,
        report: Report,
        card: dict | None = None,  # the job card; a copy goes into the archive
    ) -> Result:
        """Every file is written whole or not at all; raises `OutputError` or `Stopped`."""
        config, folder, card = self.config, Path(folder), card or {}
        stills = config.views + len(POSES) if config.views else 0
        steps = _Steps(report, 1 + config.turntable_frames + stills + FILES)
        files = _places(folder)
        height, width = subject.photo.rgb.shape[:2]
        front = draw_front(avatar, width, height)
        save_png(files.front, front)
        steps.next("Front view", over_white(front))
        poser = Poser.of(avatar)
        standing = upright(poser)
        # neighbours in memory as in space are drawn faster; the files keep the avatar's order
        drawn = standing.select(spatial_order(standing.means))
        self._still_views(poser, drawn, folder, steps)
        frames = turntable(drawn, config.turntable_frames, config.turntable_height)
        write_mp4(files.turntable, steps.each(frames, "Turntable"), FPS, crf=16)
        save_ply(files.ply, standing)
        steps.next("Gaussians")
        save_splat(files.viewer, viewer_copy(standing, on_head(avatar), config.viewer_limit))
        steps.next("Copy for the page")
        rig = folder / "avatar.safetensors"
        write_bytes(rig, rig_bytes(avatar, JOINTS))
        steps.next("Skeleton")
        write_bytes(files.glb, avatar_glb(avatar, JOINTS, tracks(avatar), "SVAD"))
        steps.next("Mesh")
        write_archive(files.archive, _members(files, rig, avatar, card))
        steps.next("Archive")
        return files

    def _still_views(self, poser: Poser, standing: Gaussians, folder: Path, steps: _Steps) -> None:
        """views/NNN.png and poses/NAME.png, where the settings ask for them."""
        if not self.config.views:
            return
        views = draw_views(standing, self.config.views, self.config.view_height)
        for number, picture in enumerate(views):
            save_png(folder / "views" / f"{number:03}.png", picture)
            steps.next("Views", over_white(picture))
        for old in (folder / "views").glob("*.png"):  # of a run with more views
            if old.stem.isdigit() and int(old.stem) >= self.config.views:
                old.unlink()
        for name, picture in draw_poses(poser, self.config.view_height):
            save_png(folder / "poses" / f"{name}.png", picture)
            steps.next("Poses", over_white(picture))


@dataclass
class _Steps:
    """Counts what is done and tells it."""

    report: Report
    total: int
    done: int = 0

    def next(self, note: str, picture: np.ndarray | None = None) -> None:
        """One more step is done; picture [H, W, 3] uint8 shows it."""
        self.done += 1
        small = None if picture is None else fit_within(picture, THUMBNAIL, THUMBNAIL)
        self.report(self.done, self.total, note, picture=small)

    def each(self, frames: Iterable[np.ndarray], note: str) -> Iterator[np.ndarray]:
        """Passes frames on, one step each; now and then one is shown."""
        for number, frame in enumerate(frames):
            self.next(note, frame if number % SHOWN == 0 else None)
            yield frame


def upright(poser: Poser) -> Gaussians:
    """The avatar in the A-pose, its soles at y = 0."""
    avatar = poser.avatar
    pose = a_pose(avatar.joints.cpu().numpy(), avatar.parents, len(avatar.expression_names))
    posed = poser(pose[0])
    soles = np.quantile(posed.means[:, 1].cpu().numpy(), 1e-3)  # a stray Gaussian does not count
    return replace(posed, means=posed.means - posed.means.new_tensor([0, soles, 0]))


def on_head(avatar: Avatar) -> Tensor:  # [N] bool
    """The Gaussians that mostly follow the head: faces are what people look at."""
    strongest = avatar.joint_weights.argmax(1, keepdim=True)
    joint = avatar.joint_ids.gather(1, strongest)[:, 0]
    return torch.isin(joint, torch.tensor(HEAD, device=joint.device))


def tracks(avatar: Avatar) -> list[Track]:
    """The bundled motions for this person; looped ones end as they begin.

    Viewers play the first one unasked: it must not show the back, so turning comes last.
    """
    out = []
    for motion in sorted(authored().values(), key=lambda m: (m.name == "turn", m.name != "wave")):
        poses = motion.for_avatar(avatar).poses
        poses = Pose.cat([poses, poses[:1]]) if motion.looped else poses
        out.append(Track(motion.name, motion.fps, poses))
    return out


def _places(folder: Path) -> Result:
    return Result(
        turntable=folder / "turntable.mp4",
        archive=folder / "avatar.zip",
        ply=folder / "avatar.ply",
        glb=folder / "avatar.glb",
        viewer=folder / "viewer.splat",
        front=folder / "front.png",
    )


def _members(files: Result, rig: Path, avatar: Avatar, card: dict) -> dict[str, Path | str]:
    """What goes into the archive, by name."""
    expressions = len(avatar.expression_names)
    return {
        "README.txt": readme(len(avatar.gaussians), expressions, tuple(authored())),
        "LICENSE-AND-CONSENT.txt": licence(card),
        "avatar.ply": files.ply,
        "avatar.safetensors": rig,
        "avatar.glb": files.glb,
        "turntable.mp4": files.turntable,
        "job.json": card_text(card),
        "loader_example.py": loader_example(),
    }
