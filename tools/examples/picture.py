"""Turns pieces of geometry with materials into a studio picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from svad.geometry.camera import Camera
from svad.geometry.sampling import smoothstep
from svad.geometry.surface import interpolate, vertex_normals
from tools.examples.lights import Light, Samples, light_up
from tools.examples.raster import nearest_triangles
from tools.examples.tones import film, to_linear, to_srgb

SCATTER = (0.0042, 0.0019, 0.0011)  # metres, spread of red, green and blue light in skin
FLOOR_SPAN = 1.6  # metres round the person where the floor is shaded


@dataclass(frozen=True)
class Points:
    """What a material is told about the pixels of its piece."""

    rest: np.ndarray  # [P, 3] place on the piece before posing, metres
    world: np.ndarray  # [P, 3]
    normal: np.ndarray  # [P, 3]
    view: np.ndarray  # [P, 3] unit, to the eye
    extra: np.ndarray  # [P, K] whatever the piece carries per vertex


@dataclass(frozen=True)
class Surface:
    """What a material answers."""

    albedo: np.ndarray  # [P, 3] linear RGB
    roughness: np.ndarray | float = 0.7
    specular: np.ndarray | float = 0.5
    sheen: np.ndarray | float = 0.0  # soft light at grazing angles: fuzz of cloth
    bump: np.ndarray | None = None  # [P] height, metres
    glow: np.ndarray | None = None  # [P, 3] light of its own
    normal: np.ndarray | None = None  # [P, 3] replaces the normal of the mesh


Material = Callable[[Points], Surface]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One mesh with one material."""

    name: str
    vertices: np.ndarray  # [V, 3] metres
    faces: np.ndarray  # [F, 3]
    material: Material
    rest: np.ndarray | None = None  # [V, 3]; default = vertices
    extra: np.ndarray | None = None  # [V, K]
    normals: np.ndarray | None = None  # [V, 3]; default = from the faces
    tangents: np.ndarray | None = None  # [V, 3] along hair
    skin: bool = False  # light scatters in it
    wrap: float = 0.0
    shadow: bool = True
    trunk: bool = False  # hangs on the trunk, even where an arm is nearer


@dataclass(frozen=True)
class Backdrop:
    """A paper roll behind and below the person; colours are sRGB 0..1."""

    light: tuple[float, float, float]
    edge: tuple[float, float, float]
    floor: tuple[float, float, float]


@dataclass
class _Layers:
    """Attributes of all covered pixels, filled piece by piece."""

    world: np.ndarray
    normal: np.ndarray
    tangent: np.ndarray
    albedo: np.ndarray
    glow: np.ndarray
    bump: np.ndarray
    roughness: np.ndarray
    specular: np.ndarray
    sheen: np.ndarray
    wrap: np.ndarray
    skin: np.ndarray
    owner: np.ndarray
    view: np.ndarray = field(init=False)


def draw(
    pieces: Sequence[Piece],
    camera: Camera,
    lights: list[Light],
    backdrop: Backdrop,
    *,
    floor: float,  # metres
    samples: int = 3,  # per pixel and axis
    map_side: int = 1024,
    exposure: float = 1.0,
) -> np.ndarray:  # [H, W, 3] uint8
    """The finished picture."""
    fine = camera.resized(samples)
    vertices = np.concatenate([p.vertices for p in pieces]).astype(np.float32)
    counts = np.cumsum([0] + [len(p.vertices) for p in pieces])
    faces = np.concatenate([p.faces + c for p, c in zip(pieces, counts, strict=False)])
    face, u, v = nearest_triangles(fine.project(vertices), faces, fine.height, fine.width)
    hit = face >= 0
    layers = _shade(pieces, face[hit], u[hit], v[hit], fine)
    layers.normal = _bumped(layers, hit)
    casting = np.concatenate([np.full(len(p.faces), p.shadow) for p in pieces])
    diffuse, specular = light_up(
        Samples(
            layers.world, layers.normal, layers.tangent, layers.view, layers.roughness, layers.wrap
        ),
        vertices,
        faces[casting],
        lights,
        map_side,
    )
    pixel = 4.0 / fine.focal[0]  # metres per fine pixel at the usual distance
    diffuse = _scattered(diffuse, layers.skin, hit, pixel)
    edge = 1 - np.clip((layers.normal * layers.view).sum(1), 0, 1)
    colour = layers.albedo * diffuse + layers.glow
    colour += specular * layers.specular[:, None]
    colour += (layers.sheen * edge**3)[:, None] * diffuse * (0.35 + 0.65 * layers.albedo)
    behind = _backdrop(backdrop, camera, vertices, faces[casting], lights, floor)
    ground = cv2.resize(behind, (fine.width, fine.height), interpolation=cv2.INTER_LINEAR)
    ground[hit] = film(colour * exposure)
    small = cv2.resize(ground, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
    out = to_srgb(small) * 255
    grain = np.random.default_rng(0).normal(0, 0.8, (*out.shape[:2], 1))
    return np.clip(out + grain + 0.5, 0, 255).astype(np.uint8)


def _shade(
    pieces: Sequence[Piece], face: np.ndarray, u: np.ndarray, v: np.ndarray, camera: Camera
) -> _Layers:
    count = len(face)
    three, one = (lambda: np.zeros((count, 3), np.float32)), (lambda: np.zeros(count, np.float32))
    layers = _Layers(
        *(three(), three(), three(), three(), three()),
        *(one(), one(), one(), one(), one(), one(), np.zeros(count, np.int16)),
    )
    eye = -camera.rotation.T @ camera.translation
    layers.view = three()
    start = 0
    for number, piece in enumerate(pieces):
        inside = np.flatnonzero((face >= start) & (face < start + len(piece.faces)))
        corners = piece.faces[face[inside] - start]
        start += len(piece.faces)
        if not len(inside):
            continue
        share = np.stack([1 - u[inside] - v[inside], u[inside], v[inside]], 1)

        def mix(values: np.ndarray, corners=corners, share=share) -> np.ndarray:
            return interpolate(values, corners, share).astype(np.float32)

        world = mix(piece.vertices)
        view = eye - world
        view /= np.linalg.norm(view, axis=1, keepdims=True)
        normals = piece.normals
        if normals is None:
            normals = vertex_normals(piece.vertices, piece.faces)
        normal = _unit(mix(normals))
        if piece.tangents is None:  # both sides of cloth are seen
            normal *= np.where((normal * view).sum(1) < -0.15, -1, 1)[:, None]
        else:
            layers.tangent[inside] = _unit(mix(piece.tangents))
        rest = piece.vertices if piece.rest is None else piece.rest
        extra = np.zeros((len(piece.vertices), 0)) if piece.extra is None else piece.extra
        surface = piece.material(Points(mix(rest), world, normal, view, mix(extra)))
        layers.world[inside], layers.view[inside] = world, view
        layers.normal[inside] = normal if surface.normal is None else surface.normal
        layers.albedo[inside] = surface.albedo
        layers.roughness[inside], layers.specular[inside] = surface.roughness, surface.specular
        layers.sheen[inside], layers.wrap[inside] = surface.sheen, piece.wrap
        layers.skin[inside], layers.owner[inside] = piece.skin, number
        if surface.bump is not None:
            layers.bump[inside] = surface.bump
        if surface.glow is not None:
            layers.glow[inside] = surface.glow
    return layers


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _bumped(layers: _Layers, hit: np.ndarray) -> np.ndarray:  # [P, 3]
    """Normals bent by the height fields: surface gradients from screen differences (Mikkelsen)."""
    number = np.full(hit.shape, -1, np.int64)
    number[hit] = np.arange(len(layers.owner))
    steps = []
    for axis in (1, 0):
        other = np.roll(number, -1, axis)[hit]
        same = (other >= 0) & (layers.owner[other] == layers.owner)
        other = np.where(same, other, np.arange(len(other)))
        apart = layers.world[other] - layers.world
        rise = layers.bump[other] - layers.bump
        near = np.linalg.norm(apart, axis=1) < 0.02
        steps.append((apart * near[:, None], rise * near))
    (right, rise_right), (down, rise_down) = steps
    n = layers.normal
    first, second = np.cross(down, n), np.cross(n, right)
    size = (right * first).sum(1)
    slope = np.sign(size)[:, None] * (rise_right[:, None] * first + rise_down[:, None] * second)
    bent = np.abs(size)[:, None] * n - slope
    flat = np.abs(size) < 1e-12
    bent[flat] = n[flat]
    return _unit(bent).astype(np.float32)


def _scattered(
    light: np.ndarray, skin: np.ndarray, hit: np.ndarray, pixel: float
) -> np.ndarray:  # [P, 3]
    """Light that enters skin comes out a little beside: each colour blurred by its own radius."""
    if not skin.any():
        return light
    out = light.copy()
    chosen = skin > 0
    mask = np.zeros(hit.shape, np.float32)
    mask[hit] = skin
    for k, radius in enumerate(SCATTER):
        plane = np.zeros(hit.shape, np.float32)
        plane[hit] = light[:, k] * skin
        sigma = radius / pixel
        soft = cv2.GaussianBlur(plane, (0, 0), sigma) / (
            cv2.GaussianBlur(mask, (0, 0), sigma) + 1e-6
        )
        out[chosen, k] = 0.15 * light[chosen, k] + 0.85 * soft[hit][chosen]
    return out


def _backdrop(
    backdrop: Backdrop,
    camera: Camera,
    vertices: np.ndarray,
    faces: np.ndarray,
    lights: list[Light],
    floor: float,
) -> np.ndarray:  # [H, W, 3] linear
    """Paper roll: brightest behind the chest, darker at the edges, with the person's shadow."""
    y, x = np.mgrid[: camera.height, : camera.width].astype(np.float32) + 0.5
    away = np.hypot((x - camera.width / 2) / camera.height / 0.62, (y / camera.height - 0.36) / 0.8)
    light, edge, ground = (
        to_linear(np.array(c, np.float32)) for c in (backdrop.light, backdrop.edge, backdrop.floor)
    )
    out = light + (edge - light) * smoothstep(away)[..., None]
    base = camera.project(np.array([[0, floor, vertices[:, 2].mean() - 1.4]]))[0, 1]
    near_floor = (y / camera.height - base / camera.height + 0.05) / 0.12
    out = out + (ground - out) * smoothstep(near_floor)[..., None]
    rays = camera.unproject(np.stack([x, y, np.ones_like(x)], -1))
    eye = -camera.rotation.T @ camera.translation
    rays = rays - eye
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = (floor - eye[1]) / rays[..., 1]
    place = eye + rays * reach[..., None]
    middle = np.median(vertices, 0)
    near = (reach > 0) & (
        np.hypot(place[..., 0] - middle[0], place[..., 2] - middle[2]) < FLOOR_SPAN
    )
    if near.any():
        count = int(near.sum())
        up = np.tile(np.array([[0, 1, 0]], np.float32), (count, 1))
        nothing = np.zeros((count, 3), np.float32)
        above = [lamp for lamp in lights if lamp.direction[1] > 0.03]
        samples = Samples(
            place[near], up, nothing, up, np.ones(count, np.float32), np.zeros(count, np.float32)
        )
        lit, _ = light_up(samples, vertices, faces, above)
        full = sum(lamp.colour * lamp.direction[1] for lamp in above)
        shade = np.ones((*near.shape, 3), np.float32)
        far = np.hypot(place[..., 0] - middle[0], place[..., 2] - middle[2])[near]
        fade = np.clip((FLOOR_SPAN - far) / 0.9, 0, 1)[:, None]
        shade[near] = 1 + fade * (lit / full - 1)
        out = out * cv2.GaussianBlur(shade, (0, 0), camera.height / 450)
    return out.astype(np.float32)
