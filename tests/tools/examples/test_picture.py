"""Tests of the studio: shadows, materials, a tiny picture of a person."""

from __future__ import annotations

import numpy as np

from svad.geometry.camera import Camera
from tools.examples.lights import Light, Samples, light_up, studio_lights
from tools.examples.make import render
from tools.examples.people import PEOPLE
from tools.examples.picture import Backdrop, Piece, Surface, draw
from tools.examples.tones import colour, to_linear, to_srgb

GREY = Backdrop((0.7, 0.7, 0.7), (0.6, 0.6, 0.6), (0.6, 0.6, 0.6))
SQUARE = np.array([[-0.5, 0.5, -0.5], [0.5, 0.5, -0.5], [0.5, 0.5, 0.5], [-0.5, 0.5, 0.5]])
TWO = np.array([[0, 1, 2], [0, 2, 3]])


def floor_samples(places: list[list[float]]) -> Samples:
    """Points on the floor."""
    count = len(places)
    up = np.tile([0.0, 1.0, 0.0], (count, 1))
    nothing = np.zeros((count, 3))
    return Samples(np.array(places), up, nothing, up, np.ones(count), np.zeros(count))


def test_a_roof_throws_a_shadow():
    light = Light(np.array([0.0, 1.0, 0.0]), np.ones(3))
    samples = floor_samples([[0, 0, 0], [0.3, 0, 0.2], [0.8, 0, 0], [0, 0.6, 0]])
    diffuse, _ = light_up(samples, SQUARE, TWO, [light], 128)
    np.testing.assert_allclose(diffuse[:, 0], [0, 0, 1, 1], atol=1e-6)


def test_studio_is_soft_and_lights_from_the_left():
    lights = studio_lights(quality=0.3)
    samples = floor_samples([[0, 0, 0], [0.46, 0, 0], [3, 0, 0]])
    diffuse, _ = light_up(samples, SQUARE, TWO, lights, 128)
    assert 0 < diffuse[0, 1] < diffuse[1, 1] < diffuse[2, 1]  # dark, half shade, open
    power = sum(lamp.colour for lamp in lights if lamp.direction[0] < 0)
    assert power[0] > sum(lamp.colour for lamp in lights if lamp.direction[0] > 0)[0]


def test_colours_survive_both_ways():
    x = np.linspace(0, 1, 11)
    np.testing.assert_allclose(to_srgb(to_linear(x)), x, atol=1e-6)
    np.testing.assert_allclose(to_srgb(colour("ff8000")), [1, 128 / 255, 0], atol=1e-6)


def test_a_red_square_before_the_backdrop():
    camera = Camera(
        np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 4.0]), (96.0, 96.0), (24.0, 24.0), 48, 48
    )
    face = SQUARE[:, [0, 2, 1]] * [1, 1, 0]
    piece = Piece(
        name="square",
        vertices=face,
        faces=TWO,
        material=lambda p: Surface(np.tile([0.6, 0.02, 0.02], (len(p.rest), 1))),
    )
    picture = draw([piece], camera, studio_lights(quality=0.2), GREY, floor=-2.0, samples=2)
    assert picture.shape == (48, 48, 3) and picture.dtype == np.uint8
    red, green, blue = picture[24, 24].astype(int)
    assert red > 120 and red > 2 * green and red > 2 * blue
    assert np.ptp(picture[3, 3].astype(int)) < 6  # grey


def test_a_small_person_stands_in_the_picture():
    person = PEOPLE["dayo"]
    picture = render(person, height=120, quality=0.1, samples=1, detail=0, dressed=False)
    assert picture.shape == (120, round(120 * person.width / person.height), 3)
    wall = picture[:, :2].astype(int).mean(1, keepdims=True)
    rows = np.flatnonzero((np.abs(picture - wall).sum(2) > 60).any(1))
    assert 80 < np.ptp(rows) < 118  # head to feet, with some air
