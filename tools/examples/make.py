"""Makes the examples: `python -m tools.examples.make --render --results`.

`--render` draws the photos from the default body and modelled clothes and hair; `--results` runs
the pipeline on each photo and keeps the files a visitor is shown.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from svad.geometry.camera import Camera
from svad.media.images import save_jpg
from tools.examples.lights import studio_lights
from tools.examples.others import EVERYBODY, EXAMPLES
from tools.examples.people import Person, bare_figure, build
from tools.examples.picture import draw

FOLDER = Path(__file__).resolve().parents[2] / "examples"
CAMERA_LEVEL = 0.51  # of the stature
EXPOSURE = 0.75
JPEG_QUALITY = 91


def photo_view(person: Person, stature: float, height: int) -> Camera:
    """The camera in front of a person: level, focal length twice the picture's height."""
    width = round(height * person.width / person.height)
    rotation = np.diag([1.0, -1.0, -1.0])
    eye = np.array([0.0, CAMERA_LEVEL * stature, 2 * stature / person.fill])
    lens = 2.0 * height
    return Camera(rotation, -rotation @ eye, (lens, lens), (width / 2, height / 2), width, height)


def render(
    person: Person,
    *,
    height: int | None = None,  # px
    quality: float = 1.0,  # share of the lights
    samples: int = 3,  # per pixel and axis
    detail: int = 1,  # subdivisions
    dressed: bool = True,
) -> np.ndarray:  # [H, W, 3] uint8
    """The photo of one person."""
    figure = bare_figure(person)
    stature = float(figure.vertices[:, 1].max())
    camera = photo_view(person, stature, height or person.height)
    eye = -camera.rotation.T @ camera.translation
    pieces = build(person, figure, eye, detail, dressed)
    return draw(
        pieces,
        camera,
        studio_lights(quality=quality),
        person.backdrop,
        floor=0.0,
        samples=samples,
        exposure=EXPOSURE,
    )


def main() -> int:
    """Command line entry."""
    parser = argparse.ArgumentParser(description="Make the example people and their avatars.")
    parser.add_argument("--render", action="store_true", help="draw the photos")
    parser.add_argument("--results", action="store_true", help="run the pipeline on the photos")
    parser.add_argument(
        "--only", nargs="*", default=list(EXAMPLES), choices=list(EVERYBODY), metavar="NAME"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--quality", type=float, default=1.0, help="share of the lights")
    options = parser.parse_args()
    for name in options.only if options.render else ():
        path = options.folder / name / "photo.jpg"
        save_jpg(path, render(EVERYBODY[name], quality=options.quality), quality=JPEG_QUALITY)
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")
    if options.results:
        from svad.run.pipeline import Pipeline
        from tools.examples.results import make_result

        pipeline = Pipeline()
        for name in options.only:
            sizes = make_result(EVERYBODY[name], options.folder / name, pipeline)
            print(f"{name}: {sum(sizes.values()) / 1e6:.2f} MB {sizes}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
