"""Runs in Blender's Python: imports meshes, and the .fbx that Blender makes of each.

    PYTHON blender_inside.py FOLDER NAME.glb ...

Writes into FOLDER, for each file, NAME.fbx, a picture NAME.png of it in a pose, and found.json with
what was found in the .glb and in the .fbx. Started by `tools.checks.blender`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy  # pyright: ignore[reportMissingImports]
from mathutils import Vector  # pyright: ignore[reportMissingImports]

SIZE = (360, 480)  # px
SAMPLES = 8  # of Cycles, which is the engine that needs no GPU
POSED = "wave"  # the motion that is drawn, in its middle


def main(folder: Path, names: list[str]) -> None:
    """Writes the findings."""
    told = {}
    for name in names:
        start()
        bpy.ops.import_scene.gltf(filepath=str(folder / name))
        told[name] = found()
        fbx = folder / f"{name}.fbx"
        bpy.ops.export_scene.fbx(
            filepath=str(fbx), object_types={"ARMATURE", "MESH"}, path_mode="COPY",
            embed_textures=True, add_leaf_bones=False, bake_anim=True,
            bake_anim_use_all_actions=True, bake_anim_use_nla_strips=False,
        )  # fmt: skip
        drawn(folder / f"{name}.png")  # after the .fbx, which shall hold no lamp
        start()
        bpy.ops.import_scene.fbx(filepath=str(fbx))
        told[f"{name} as .fbx"] = found()
    (folder / "found.json").write_text(json.dumps(told, indent=1), encoding="utf-8")


def start() -> None:
    """An empty file; actions of the last one would stay."""
    bpy.ops.wm.read_factory_settings(use_empty=True)


def found() -> dict:
    """What a person would look for after an import."""
    armatures = [one for one in bpy.data.objects if one.type == "ARMATURE"]
    meshes = [one for one in bpy.data.objects if one.type == "MESH" and one.vertex_groups]
    body = max(meshes, key=lambda one: len(one.data.vertices))
    keys = body.data.shape_keys
    low, high = box(body)
    return {
        "armatures": len(armatures),
        "bones": sorted(bone.name for one in armatures for bone in one.data.bones),
        "groups": len(body.vertex_groups),
        "bound": any(one.type == "ARMATURE" for one in body.modifiers),
        "vertices": len(body.data.vertices),
        "shapes": [key.name for key in keys.key_blocks][1:] if keys else [],
        "colours": [one.name for one in body.data.color_attributes],
        "uv": len(body.data.uv_layers),
        "pictures": [
            list(one.size) for one in bpy.data.images if one.size[0] and one.type == "IMAGE"
        ],
        "actions": {one.name: list(one.frame_range) for one in bpy.data.actions},
        "low": list(low),
        "high": list(high),
    }


def box(body: bpy.types.Object) -> tuple[Vector, Vector]:
    """The corners of the mesh at rest, metres, z up."""
    points = [body.matrix_world @ vertex.co for vertex in body.data.vertices]
    return (
        Vector(min(p[k] for p in points) for k in range(3)),
        Vector(max(p[k] for p in points) for k in range(3)),
    )


def drawn(path: Path) -> None:
    """A picture from the front in a pose; unlit surfaces need no lamp."""
    scene = bpy.context.scene
    armature = next(one for one in bpy.data.objects if one.type == "ARMATURE")
    action = next((one for one in bpy.data.actions if one.name.startswith(POSED)), None)
    if action is not None:
        armature.animation_data_create().action = action
        if hasattr(armature.animation_data, "action_slot") and action.slots:
            armature.animation_data.action_slot = action.slots[0]
        for track in armature.animation_data.nla_tracks:
            track.mute = True
        scene.frame_set(int(sum(action.frame_range) / 2))
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location, camera.rotation_euler = (0, -5, 0.9), (1.5708, 0, 0)
    camera.data.lens, camera.data.sensor_height = 50, 24
    world = scene.world = bpy.data.worlds.new("world")
    world.color = (0.5, 0.5, 0.6)
    lamp = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    lamp.rotation_euler, lamp.data.energy = (0.9, 0, 0.3), 2.0
    for one in (camera, lamp):
        scene.collection.objects.link(one)
    scene.camera, scene.render.engine = camera, "CYCLES"
    scene.cycles.samples, scene.cycles.device = SAMPLES, "CPU"
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
