"""The least squares solver on problems with known answers."""

from __future__ import annotations

import numpy as np

from svad.subject.solve import Term, minimise


def test_line_fit_reaches_the_exact_answer() -> None:
    t = np.linspace(0, 1, 30)
    data = 2 * t - 0.5

    def model(x: np.ndarray) -> list[Term]:
        return [Term((x[:, :1] * t + x[:, 1:] - data) / 0.1)]

    x = minimise(model, np.zeros(2), np.full(2, 1e-4), 10)
    np.testing.assert_allclose(x, (2, -0.5), atol=1e-5)


def test_curved_valley_is_followed() -> None:
    def model(x: np.ndarray) -> list[Term]:
        return [Term(np.stack([10 * (x[:, 1] - x[:, 0] ** 2), 1 - x[:, 0]], 1))]  # Rosenbrock

    x = minimise(model, np.array([-1.2, 1.0]), np.full(2, 1e-6), 60)
    np.testing.assert_allclose(x, (1, 1), atol=1e-3)


def test_outliers_hardly_move_a_robust_mean() -> None:
    data = np.array([1.0, 1.1, 0.9, 1.05, 0.95, 40.0])

    def model(x: np.ndarray) -> list[Term]:
        return [Term((x - data) / 0.1, "cauchy", 2.0)]

    x = minimise(model, np.array([3.0]), np.array([1e-4]), 40)
    assert abs(x[0] - 1) < 0.05


def test_fixed_parameters_stay() -> None:
    def model(x: np.ndarray) -> list[Term]:
        return [Term(x - 5.0)]

    x = minimise(model, np.array([1.0, 1.0]), np.array([1e-4, 0.0]), 8)
    np.testing.assert_allclose(x, (5, 1), atol=1e-4)
