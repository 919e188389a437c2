"""From a subject to closed, coloured, weighted layers in the photo's pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from svad.body.model import BodyModel
from svad.body.skeleton import HIPS, SHOULDERS, WRISTS
from svad.core.ahead import ahead
from svad.geometry.camera import Camera
from svad.relief.body_surface import BodySurface, body_surface_samples
from svad.relief.closeup import with_closeup
from svad.relief.densify import densifying_points
from svad.relief.drape import Drape, out_of_cloth
from svad.relief.fallen_hair import fallen_hair, without_hair
from svad.relief.fill import Hands, core_points, frame_cuts, missing_points
from svad.relief.finger_pixels import with_fingers
from svad.relief.flanks import with_flanks
from svad.relief.hand_pixels import Hand
from svad.relief.head import face_depth
from svad.relief.head_completion import headed_points, inner_mouth
from svad.relief.hem import with_level_hem
from svad.relief.labels import PartMaps, draw_parts, label_pixels, parted_by_light, without_slivers
from svad.relief.laps import lap_of, with_photo_edges
from svad.relief.layer import Layer
from svad.relief.layers import build_layers
from svad.relief.limb_colours import limb_colours
from svad.relief.mouth import Rig
from svad.relief.parts import parts_for
from svad.relief.points import Points, Sheet, joined
from svad.relief.round_limbs import with_materials
from svad.relief.scene import (
    Scene,
    covered_elbows,
    face_colour,
    found_hands,
    handless,
    inside,
    posed_joints,
    posed_vertices,
    scene_of,
)
from svad.relief.shown import Shown, shown_of
from svad.relief.skirt import SKIRT, find_skirt
from svad.relief.strangers import without_strangers
from svad.relief.trunk_colours import Dress, dressed
from svad.relief.weights import LimbProfile, blend_range, folded, limb_weights
from svad.relief.worn import View, Worn, arm_skin, hand_colour, limbs_worn
from svad.types import Subject

CROTCH = 0.05  # of the body's height below the hip joints
CORE_SPACING = 3.0  # of the inner body's samples, in steps of the fill's
FLANKS = 2.5  # how much coarser a skirt's flanks are filled than a head's


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


def build_relief(
    subject: Subject,
    body: BodyModel,
    tell: Callable[[str], None],
    *,
    seed: int,
) -> Relief:
    """All of it; `tell` is called before each step."""
    scene = scene_of(subject)
    fit = subject.body
    vertices = posed_vertices(subject, body)
    faces = body.faces.numpy()
    weights = folded(body.weights.numpy())
    parts = parts_for(fit.pose.rotations[0].numpy())
    tell("finding arms, legs and torso")
    h, w = scene.matte.shape
    drawn = draw_parts(scene.camera.project(vertices), faces, body.weights.numpy(), parts, h, w)
    joints = posed_joints(subject, body)
    hands = found_hands(subject, scene, parts)
    found = _areas(hands)
    arms = [i for i, part in enumerate(parts) if "arm" in part.name]
    labels, hair = _labels(subject, scene, drawn, hands, joints)
    tell("rounding the layers")
    pixels = scene.camera.project(joints)[:, :2]
    skirt = find_skirt(labels, drawn, pixels, scene.body_height, scene.rgb)
    if skirt is not None:
        parts = (*parts, SKIRT)
        projected = scene.camera.project(vertices)
        drawn += draw_parts(projected, faces, body.weights.numpy(), (SKIRT,), h, w)
        labels = skirt.labelled(labels, drawn)
    legs = [i for i, part in enumerate(parts) if "leg" in part.name]  # straps, rests of a hem
    shoulders, hips = (float(pixels[list(pair), 1].mean()) for pair in (SHOULDERS, HIPS))
    crotch = round(hips + CROTCH * scene.body_height)
    labels = without_slivers(labels, legs, found, crotch, scene.body_height)
    layers = build_layers(
        labels, drawn, weights, (shoulders, hips), scene.px_per_m, scene.body_height, skirt
    )
    tell("colouring what the photo does not show")
    face_rgb = face_colour(scene)
    shown = {
        i: shown_of(one, scene.rgb, scene.matte, scene.skin, labels)
        for i, one in enumerate(layers)
        if one.part.kind == "limb"
    }
    views = {
        i: View(layers[i].part, layers[i].box, layers[i].near, seen.known)
        for i, seen in shown.items()
    }
    worn = limbs_worn(views, scene.rgb, scene.skin, found, scene.camera, joints)
    pieces = {i: (worn[i], shown[i]) for i in views}
    dress = partial(dressed, layers, labels, hair, scene, joints, seed)
    sheets = _sheets(layers, scene, dress, pieces, face_rgb, seed)
    if skirt is not None:
        sheets[-1] = with_level_hem(sheets[-1], subject.body.camera)
    if subject.head is not None:
        body_sheet, head_sheet = with_closeup(
            sheets[0], layers[0], subject.head, subject.face, scene
        )
        sheets[0] = body_sheet
        sheets.append(head_sheet)
    sheets, points = headed_points(sheets, subject, body, vertices, joints, seed)
    limbs = {
        i: (LimbProfile(p, fit.vertices, fit.joints, weights), blend_range(p.bones[0][0]))
        for i, p in enumerate(parts)
        if p.bones
    }
    drape = None
    if skirt is not None:
        number = len(drawn) - 1
        between = densifying_points(sheets[number], fit.camera, FLANKS)
        points = joined([points, *between])
        drape = Drape.around(points.xyz[points.layer == number], joints, (0, number))
    points = with_flanks(points, sheets, fit.camera)
    points = with_materials(points, layers, pieces, scene, joints)
    front = _shown(layers, labels, scene, subject)
    relief = Relief(points, sheets, fit.camera, 0, front, limbs, joints, drape)
    moved = relief.limb_weights(points.xyz, points.weights, points.layer)
    points = replace(points, weights=moved)
    tell("filling hidden sides from the body")
    cuts = frame_cuts(subject.matte)
    spacing = 1.15 / scene.px_per_m
    matte = subject.matte > 127
    seen = {wrist for i in hands if hands[i].area.any() for wrist in parts[i].joints}
    lost = tuple(wrist for wrist in WRISTS if wrist not in seen)
    hidden_hands = Hands(hand_colour([worn[i] for i in arms], face_rgb), lost)

    def samples(step: float) -> BodySurface:
        made = body_surface_samples(vertices, faces, weights, step)
        return made if skirt is None else out_of_cloth(made, skirt, scene.camera)

    def fill() -> Points:
        return missing_points(
            samples(spacing), points, fit.camera, matte, front, 0.02 * 1.7, cuts, hidden_hands,
            skirt is not None,
        )  # fmt: skip

    def core() -> Points:
        inner = samples(CORE_SPACING * spacing)
        return core_points(inner, points, fit.camera, matte, front)

    points = joined([points, *ahead(lambda make: make(), (fill, core))])
    mouth = None
    if subject.face is not None:
        hidden, mouth = inner_mouth(sheets, subject.face, fit.camera)
        points = joined([points, hidden])
    return replace(relief, points=points, mouth=mouth)


def _labels(
    subject: Subject,
    scene: Scene,
    drawn: list[PartMaps],
    hands: dict[int, Hand],  # by part number
    joints: np.ndarray,  # [55, 3] posed
) -> tuple[np.ndarray, np.ndarray]:  # [H, W] int32, -1 outside; [H, W] bool
    """Which part every pixel shows; arms without the hair and the cloth that lie beside them.

    And which pixels show hair that falls from the head.
    """
    parts = tuple(p.part for p in drawn)
    rgb = (scene.rgb * 255).astype(np.uint8)
    labels = label_pixels(
        rgb, inside(scene.matte), drawn, scene.body_height,
        hands, scene.skin, covered_elbows(subject, scene, parts),
        handless(subject, hands, parts, scene, joints),
    )  # fmt: skip
    arms = [i for i, part in enumerate(parts) if "arm" in part.name]
    hair = fallen_hair(labels, arms, rgb, scene.skin, scene.face)
    labels = without_strangers(
        without_hair(labels, arms, hair),
        drawn, rgb, scene.skin, _areas(hands), scene.camera, joints, scene.body_height,
    )  # fmt: skip
    if scene.skin is not None:
        for i, hand in hands.items():
            both = np.isin(labels, arms)
            labels = with_fingers(labels, i, both, scene.rgb, scene.skin, hand, scene.body_height)
    labels = parted_by_light(labels, arms, _areas(hands), scene.body_height)
    return with_photo_edges(labels, arms, rgb), hair


def _areas(hands: dict[int, Hand]) -> np.ndarray:  # [H, W] bool
    """Where any of the hands was found."""
    return np.logical_or.reduce([hand.area for hand in hands.values()])


def _sheets(
    layers: list[Layer],
    scene: Scene,
    dressed_trunk: Callable[[], Dress],
    limbs: dict[int, tuple[Worn, Shown]],
    face_rgb: np.ndarray | None,  # [3]
    seed: int,
) -> list[Sheet]:
    """Arms have colours of their own; trunk, hips and skirt are one picture."""

    arms = [i for i in limbs if "arm" in layers[i].part.name]
    skin_rgb = arm_skin([limbs[i][0] for i in arms], face_rgb)

    def limb(i: int) -> tuple[np.ndarray, np.ndarray]:
        lit = skin_rgb if i in arms else None  # legs are mostly lit alike, and less than a face
        return limb_colours(layers[i], *limbs[i], face_rgb, lit, scene.body_height, seed + i)

    tasks = [dressed_trunk, *(partial(limb, i) for i in limbs)]
    dress, *made = ahead(lambda make: make(), tasks)
    own = dict(zip(limbs, made, strict=True))
    sheets = []
    for i, layer in enumerate(layers):
        is_arm = "arm" in layer.part.name
        colours = own[i] if is_arm else dress.on(layer, own.get(i))
        sheets.append(_sheet(i, layer, colours, scene))
    return sheets


def _sheet(
    i: int,
    layer: Layer,
    colours: tuple[np.ndarray, np.ndarray],  # front, back [h, w, 3]
    scene: Scene,
) -> Sheet:
    near = layer.near
    if layer.part.is_torso and scene.face is not None:
        near = face_depth(layer.local(scene.face), near, layer.own, scene.px_per_m)
    return Sheet(
        i, layer.corner(scene.origin), 1, layer.mask, scene.matte[layer.box], near,
        np.maximum(layer.far, near + 0.002), *colours, layer.near_weights, layer.far_weights,
        layer.own, lap_of(layer.mask, scene.matte[layer.box]) if "arm" in layer.part.name else None,
    )  # fmt: skip


def _shown(
    layers: list[Layer], labels: np.ndarray, scene: Scene, subject: Subject
) -> np.ndarray:  # [H, W] of the working photo
    shown = np.full(labels.shape, np.inf, np.float32)
    for i, layer in enumerate(layers):
        mine = labels[layer.box] == i
        shown[layer.box] = np.where(mine, layer.near, shown[layer.box])
    full = np.full(subject.matte.shape, np.inf, np.float32)
    x0, y0 = scene.origin
    full[y0 : y0 + labels.shape[0], x0 : x0 + labels.shape[1]] = shown
    return full
