"""From a subject to closed, coloured, weighted layers in the photo's pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from svad.body import coco
from svad.body.model import BodyModel, RestBody
from svad.body.skeleton import ANKLES, HANDS, HIPS, SHOULDERS, WRISTS, Joint
from svad.geometry.camera import Camera
from svad.media.images import to_float
from svad.relief.colour import extended
from svad.relief.densify import densifying_points
from svad.relief.drape import Drape, out_of_cloth
from svad.relief.fill import body_surface_samples, core_points, frame_cuts, missing_points
from svad.relief.hand_pixels import Hand, hand_hulls, with_skin
from svad.relief.head import face_depth, skin_colour
from svad.relief.head_completion import headed_points, inner_mouth
from svad.relief.hem import with_level_hem
from svad.relief.labels import draw_parts, label_pixels
from svad.relief.layer_colours import SURE, layer_colours
from svad.relief.layers import Layer, build_layers
from svad.relief.mouth import Rig
from svad.relief.parts import Part, parts_for
from svad.relief.points import Points, Sheet, joined
from svad.relief.skirt import SKIRT, find_skirt
from svad.relief.surface import closed
from svad.relief.weights import LimbProfile, bone_position, folded, head_share
from svad.types import Closeup, Subject

ENDS = (*ANKLES, *WRISTS)  # of the bones; hands and feet lie beyond
CORE_SPACING = 3.0  # of the inner body's samples, in steps of the fill's
FLANKS = 2.5  # how much coarser a skirt's flanks are filled than a head's
DOUBTFUL = 0.2  # score of an elbow above which its place is right; 0.28 behind the back
INSIDE = 0.72  # blurred matte above which a pixel gets points: splats grow by half a pixel


@dataclass(frozen=True)
class Relief:
    """Layers of one person in the photo's pose."""

    points: Points
    sheets: list[Sheet]
    camera: Camera  # the photo's
    torso: int  # layer number of the torso
    shown: np.ndarray  # [H, W] metres, depth of what the photo shows, inf elsewhere
    limbs: dict[int, tuple[LimbProfile, tuple[float, float]]]  # by layer: profile, blend-in range
    joints: np.ndarray  # [55, 3] posed
    drape: Drape | None = None  # how a skirt follows both legs; None = there is none
    mouth: Rig | None = None  # how the last points follow the lips; None = no face was found

    def in_front(
        self,
        pixels: np.ndarray,  # [P, 3] x px, y px, depth in metres
    ) -> np.ndarray:  # [P] bool
        """Whether projected points are what the photo shows (1.5 cm)."""
        h, w = self.shown.shape
        x = np.floor(pixels[:, 0]).astype(int).clip(0, w - 1)
        y = np.floor(pixels[:, 1]).astype(int).clip(0, h - 1)
        return pixels[:, 2] < self.shown[y, x] + 0.015

    def limb_weights(
        self,
        xyz: np.ndarray,  # [P, 3] in the photo's pose
        weights: np.ndarray,  # [P, 22]
        layer: np.ndarray,  # [P]
    ) -> np.ndarray:  # [P, 22]
        """Replaces weights of limb points by those along the bone, of skirts by the loop's."""
        along = limb_weights(self.limbs, self.joints, xyz, weights, layer)
        return along if self.drape is None else self.drape.weights(xyz, along, layer)


@dataclass(frozen=True)
class _Scene:
    """What all steps need: a crop of the photo around the person."""

    rgb: np.ndarray  # [h, w, 3] float32
    matte: np.ndarray  # [h, w] float32
    camera: Camera
    origin: tuple[int, int]
    face: np.ndarray | None  # crop px
    skin: np.ndarray | None  # [h, w] bool, pixels of the face's colour; None = no face was found
    px_per_m: float
    body_height: float  # px


def build_relief(
    subject: Subject,
    body: BodyModel,
    tell: Callable[[str], None],
    *,
    seed: int,
) -> Relief:
    """All of it; `tell` is called before each step."""
    scene = _scene(subject)
    fit = subject.body
    vertices = _posed(subject, body)
    faces = body.faces.numpy()
    weights = folded(body.weights.numpy())
    parts = parts_for(fit.pose.rotations[0].numpy())
    tell("finding arms, legs and torso")
    h, w = scene.matte.shape
    drawn = draw_parts(scene.camera.project(vertices), faces, body.weights.numpy(), parts, h, w)
    labels = label_pixels(
        (scene.rgb * 255).astype(np.uint8), inside(scene.matte), drawn, scene.body_height,
        _hands(subject, scene, parts), scene.skin, _elbows(subject, scene, parts),
    )  # fmt: skip
    tell("rounding the layers")
    joints = posed_joints(subject, body)
    pixels = scene.camera.project(joints)[:, :2]
    skirt = find_skirt(labels, drawn, pixels, scene.body_height, scene.rgb)
    if skirt is not None:
        parts = (*parts, SKIRT)
        points = scene.camera.project(vertices)
        drawn += draw_parts(points, faces, body.weights.numpy(), (SKIRT,), h, w)
        labels = skirt.labelled(labels, drawn)
    shoulders = float(pixels[list(SHOULDERS), 1].mean())
    layers = build_layers(
        labels, drawn, weights, shoulders, scene.px_per_m, scene.body_height, skirt
    )
    tell("colouring what the photo does not show")
    face_rgb = _face_rgb(scene)
    sheets = [_sheet(i, layer, scene, face_rgb, seed + i) for i, layer in enumerate(layers)]
    if skirt is not None:
        sheets[-1] = with_level_hem(sheets[-1], subject.body.camera)
    if subject.head is not None:
        body_sheet, head_sheet = _with_closeup(
            sheets[0], layers[0], subject.head, subject.face, scene
        )
        sheets[0] = body_sheet
        sheets.append(head_sheet)
    sheets, points = headed_points(sheets, subject, body, vertices, joints, seed)
    limbs = {
        i: (LimbProfile(p, fit.vertices, fit.joints, weights), _blend_range(p.bones[0][0]))
        for i, p in enumerate(parts)
        if p.bones
    }
    drape = None
    if skirt is not None:
        number = len(drawn) - 1
        between = densifying_points(sheets[number], fit.camera, FLANKS)
        points = joined([points, *between])
        drape = Drape.around(points.xyz[points.layer == number], joints, (0, number))
    shown = _shown(layers, labels, scene, subject)
    relief = Relief(points, sheets, fit.camera, 0, shown, limbs, joints, drape)
    moved = relief.limb_weights(points.xyz, points.weights, points.layer)
    points = replace(points, weights=moved)
    tell("filling hidden sides from the body")
    cuts = frame_cuts(subject.matte)
    spacing = 1.15 / scene.px_per_m
    surface, inner = (
        body_surface_samples(vertices, faces, weights, step)
        for step in (spacing, CORE_SPACING * spacing)
    )
    if skirt is not None:
        surface, inner = (out_of_cloth(x, skirt, scene.camera) for x in (surface, inner))
    matte = subject.matte > 127
    fill = missing_points(
        surface, points, fit.camera, matte, shown, 0.02 * 1.7, cuts, face_rgb, skirt is not None
    )
    core = core_points(inner, points, fit.camera, matte, shown, face_rgb)
    points = joined([points, fill, core])
    mouth = None
    if subject.face is not None:
        hidden, mouth = inner_mouth(sheets, subject.face, fit.camera)
        points = joined([points, hidden])
    return replace(relief, points=points, mouth=mouth)


def inside(matte: np.ndarray) -> np.ndarray:  # [h, w] bool
    """Pixels that get points."""
    return cv2.GaussianBlur(matte, (0, 0), 0.8) > INSIDE


def _scene(subject: Subject) -> _Scene:
    matte = to_float(subject.matte)
    rows, columns = np.flatnonzero((matte > 0.5).any(1)), np.flatnonzero((matte > 0.5).any(0))
    pad = 24
    y0, y1 = max(0, rows[0] - pad), min(matte.shape[0], rows[-1] + 1 + pad)
    x0, x1 = max(0, columns[0] - pad), min(matte.shape[1], columns[-1] + 1 + pad)
    camera = subject.body.camera
    camera = replace(
        camera,
        center=(camera.center[0] - x0, camera.center[1] - y0),
        width=int(x1 - x0),
        height=int(y1 - y0),
    )
    face = None if subject.face is None else subject.face - np.array([x0, y0, 0], np.float32)
    depth = -float(subject.body.pose.translation[0, 2] + subject.body.joints[Joint.PELVIS, 2])
    px_per_m = camera.focal[1] / depth
    height = float(np.ptp(subject.body.vertices[:, 1])) * px_per_m
    crop = np.s_[y0:y1, x0:x1]
    rgb = to_float(subject.photo.rgb[crop])
    return _Scene(
        rgb, matte[crop], camera, (int(x0), int(y0)), face, _skin(rgb, face), px_per_m, height
    )


def _hands(subject: Subject, scene: _Scene, parts: tuple[Part, ...]) -> dict[int, Hand]:
    """The hands by the number of the part they belong to."""
    keypoints = subject.keypoints - np.array([*scene.origin, 0], np.float32)
    hulls = hand_hulls(keypoints, scene.matte.shape, 0.008 * scene.body_height)
    skin = scene.skin
    if skin is not None:
        seen = inside(scene.matte)
        hulls = {
            side: hand if hand.area.any() else with_skin(hand, skin, seen, scene.body_height)
            for side, hand in hulls.items()
        }
    return {
        i: hull
        for side, hull in hulls.items()
        for i, part in enumerate(parts)
        if HANDS[side][0] in part.joints
    }


def _elbows(subject: Subject, scene: _Scene, parts: tuple[Part, ...]) -> dict[int, np.ndarray]:
    """Elbows of arms whose hands nobody sees, px of the crop, by the number of the upper arm.

    There the body is fitted to little and may lie beside the arm that the photo shows.
    """
    out = {}
    for side, (_, elbow, wrist) in coco.ARMS.items():
        x, y, score = subject.keypoints[elbow]
        if score > DOUBTFUL and subject.keypoints[wrist, 2] < coco.VISIBLE:
            upper = Joint[f"{side}_shoulder".upper()]
            numbers = [i for i, part in enumerate(parts) if upper in part.joints]
            out |= {i: np.array([x, y]) - scene.origin for i in numbers if parts[i].bones}
    return out


def _skin(
    rgb: np.ndarray,  # [h, w, 3]
    face: np.ndarray | None,  # [478, 3] px
) -> np.ndarray | None:  # [h, w] bool
    """Pixels of the face's colour, lighter or darker."""
    if face is None:
        return None
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 0.8), cv2.COLOR_RGB2LAB)
    difference = (lab - skin_colour(rgb, face)) * (0.35, 1, 1)
    return np.linalg.norm(difference, axis=-1) < 17


def _face_rgb(scene: _Scene) -> np.ndarray | None:  # [3]
    if scene.face is None:
        return None
    lab = skin_colour(scene.rgb, scene.face).astype(np.float32)
    return cv2.cvtColor(lab[None, None], cv2.COLOR_LAB2RGB)[0, 0]


def _posed(subject: Subject, body: BodyModel) -> np.ndarray:  # [V, 3]
    fit = subject.body
    rest = RestBody(torch.from_numpy(fit.vertices).float(), torch.from_numpy(fit.joints).float())
    with torch.no_grad():
        posed = body.pose_vertices(rest, fit.pose.rotations[0], fit.pose.translation[0])
    return posed.numpy().astype(np.float32)


def posed_joints(subject: Subject, body: BodyModel) -> np.ndarray:  # [55, 3]
    """The joints in the photo's pose, world coordinates."""
    fit = subject.body
    with torch.no_grad():
        rest = torch.from_numpy(fit.joints).float()
        joints = body.posed_joints(rest, fit.pose.rotations[0], fit.pose.translation[0])
    return joints.numpy().astype(np.float32)


def _blend_range(root: int) -> tuple[float, float]:
    return (0.12, 0.30) if root in HIPS else (-0.02, 0.12)


def limb_weights(
    limbs: dict[int, tuple[LimbProfile, tuple[float, float]]],
    joints: np.ndarray,  # [55, 3] posed
    xyz: np.ndarray,  # [P, 3] in the photo's pose
    weights: np.ndarray,  # [P, 22]
    layer: np.ndarray,  # [P]
) -> np.ndarray:  # [P, 22]
    """Weights of limb points by the position along the bone, blended in from the limb's root.

    Hands and feet lie beyond the last bone: they keep the weights of the body's own surface.
    """
    out = weights.copy()
    for i, (profile, (low, high)) in limbs.items():
        mine = layer == i
        if not mine.any():
            continue
        along, t = profile(xyz[mine], joints)
        root = profile.bones[0][0]
        share = (
            np.clip((t - low) / (high - low), 0, 1)[:, None] if root in (*HIPS, *SHOULDERS) else 1.0
        )
        start, end = profile.bones[-1]
        if end in ENDS:
            t = bone_position(xyz[mine], joints[start], joints[end])
            share = share * np.clip((1.06 - t) / 0.14, 0, 1)[:, None]
        out[mine] = weights[mine] * (1 - share) + along * share
    return out


def _sheet(i: int, layer: Layer, scene: _Scene, face_rgb: np.ndarray | None, seed: int) -> Sheet:
    skin = scene.skin
    rgb, far_rgb = layer_colours(
        layer, scene.rgb[layer.box], scene.matte[layer.box],
        None if skin is None else skin[layer.box], face_rgb, scene.body_height, seed,
    )  # fmt: skip
    near = layer.near
    if layer.part.is_torso and scene.face is not None:
        near = face_depth(_local(scene.face, layer), near, layer.own, scene.px_per_m)
    return Sheet(
        i, _corner(layer, scene), 1, layer.mask, scene.matte[layer.box], near,
        np.maximum(layer.far, near + 0.002), rgb, far_rgb, layer.near_weights, layer.far_weights,
        layer.own,
    )  # fmt: skip


def _corner(layer: Layer, scene: _Scene) -> tuple[float, float]:
    """Working px of the layer's first column and row."""
    rows, columns = layer.box
    return float(columns.start + scene.origin[0]), float(rows.start + scene.origin[1])


def _local(face: np.ndarray, layer: Layer) -> np.ndarray:  # [478, 3] px of the layer's box
    return face - np.array([layer.box[1].start, layer.box[0].start, 0], np.float32)


def _with_closeup(
    sheet: Sheet,
    layer: Layer,
    head: Closeup,
    face: np.ndarray | None,  # [478, 3] working px
    scene: _Scene,
) -> tuple[Sheet, Sheet]:
    """Cuts the head out of the torso's sheet and samples it again at the close-up's density."""
    assert isinstance(layer.head, np.ndarray)  # only limbs have a mere 0
    x0, y0, x1, y1 = head.box
    left, top = (int(v) for v in _corner(layer, scene))
    cx0, cy0 = x0 - left, y0 - top
    h, w = layer.mask.shape
    gx0, gy0 = max(0, cx0), max(0, cy0)
    gx1, gy1 = min(w, x1 - left), min(h, y1 - top)
    d = head.density
    crop = np.s_[gy0:gy1, gx0:gx1]
    fine = np.s_[(gy0 - cy0) * d : (gy1 - cy0) * d, (gx0 - cx0) * d : (gx1 - cx0) * d]
    size = ((gx1 - gx0) * d, (gy1 - gy0) * d)
    grow = lambda x, how=cv2.INTER_LINEAR: cv2.resize(x, size, interpolation=how)  # noqa: E731
    rgb, matte = to_float(head.rgb[fine]), to_float(head.matte[fine])
    area = head_share(layer.far_weights)[crop]
    chosen = grow(area) > 0.5
    own = (grow(layer.own[crop].astype(np.float32)) > 0.5) & inside(matte)
    mask = (grow(layer.mask[crop].astype(np.float32)) > 0.5) & inside(matte)
    near, far, _ = closed(
        grow(layer.surface.middle[crop]), grow(layer.surface.half[crop]), mask, scene.px_per_m * d,
        grow(layer.head[crop]),
    )  # fmt: skip
    pushed = grow(np.maximum(layer.near[crop] - _unpushed(layer, crop, scene), 0))
    near = near + pushed
    if face is not None:
        local = face * np.array([d, d, d], np.float32)
        local[:, :2] -= np.array([(gx0 + left) * d, (gy0 + top) * d])
        near = face_depth(local, near, own, scene.px_per_m * d)
    sure = cv2.erode((matte > SURE).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    front = extended(rgb, own & sure)
    back = grow(sheet.far_rgb[crop], cv2.INTER_CUBIC)
    take = np.zeros(sheet.mask.shape, bool)
    take[crop] = area > 0.5
    fine_sheet = Sheet(
        0, (float(gx0 + left), float(gy0 + top)), d, mask & chosen, matte,
        near, np.maximum(far, near + 0.002), front, np.clip(back, 0, 1),
        grow_channels(sheet.near_weights[crop], size), grow_channels(sheet.far_weights[crop], size),
        own & chosen,
    )  # fmt: skip
    return replace(sheet, mask=sheet.mask & ~take), fine_sheet


def _unpushed(layer: Layer, crop: tuple, scene: _Scene) -> np.ndarray:
    near, _, _ = closed(
        layer.surface.middle, layer.surface.half, layer.outline, scene.px_per_m, layer.head
    )
    return near[crop]


def grow_channels(
    values: np.ndarray,  # [h, w, C]
    size: tuple[int, int],  # W, H
) -> np.ndarray:  # [H, W, C]
    """Resizes a field; channels that are zero everywhere are not touched."""
    out = np.zeros((size[1], size[0], values.shape[2]), np.float32)
    for c in np.flatnonzero(values.reshape(-1, values.shape[2]).max(0) > 1e-4):
        out[..., c] = cv2.resize(values[..., c], size, interpolation=cv2.INTER_LINEAR)
    return out / np.maximum(out.sum(-1, keepdims=True), 1e-6)


def _shown(
    layers: list[Layer], labels: np.ndarray, scene: _Scene, subject: Subject
) -> np.ndarray:  # [H, W] of the working photo
    shown = np.full(labels.shape, np.inf, np.float32)
    for i, layer in enumerate(layers):
        mine = labels[layer.box] == i
        shown[layer.box] = np.where(mine, layer.near, shown[layer.box])
    full = np.full(subject.matte.shape, np.inf, np.float32)
    x0, y0 = scene.origin
    full[y0 : y0 + labels.shape[0], x0 : x0 + labels.shape[1]] = shown
    return full
