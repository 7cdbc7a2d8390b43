import numpy as np
import pytest
import torch

from topogen.plotting.pointclouds import animated_descent
from topogen.plotting.style import save_animation, use_style
from topogen.synthetic import pointclouds
from topogen.training.terms import build_terms
from torchrips.persistence import rips_diagrams

BOTTLENECK = [{"name": "bottleneck", "degree": 0, "weight": 1}]
PAIR = torch.tensor([[0.0, 2.0]], dtype=torch.float64)


def test_parts_are_what_they_say():
    stream = np.random.default_rng(0)
    parts = [
        {"kind": "line", "corners": [[0, 0], [1, 0], [1, 1]], "points": 5, "jitter": 0},
        {"kind": "circle", "centre": [3, 0], "radius": 2, "points": 4, "jitter": 0},
        {"kind": "clusters", "centres": [[0, 0], [9, 9]], "points": 2, "sd": 0},
    ]
    cloud = pointclouds.build_cloud(stream, parts)
    expected = [[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1], [5, 0], [3, 2], [1, 0], [3, -2]]
    np.testing.assert_allclose(cloud, expected + 2 * [[0, 0]] + 2 * [[9, 9]], atol=1e-12)
    assert pointclouds.build_cloud(stream, []).shape == (0, 2)


@pytest.mark.parametrize("kernel_width", [None, 0.5])
def test_a_descent_reaches_the_diagram_of_its_target(kernel_width):
    start = np.array([[0.0, 0.0], [1.2, 0.0]])  # two points, one bar: 1.2 towards 2
    clouds, losses = pointclouds.descend(
        start, (PAIR,), build_terms(BOTTLENECK), steps=10, learning_rate=0.04, kernel_width=kernel_width
    )
    np.testing.assert_array_equal(clouds[0], start)
    np.testing.assert_allclose(losses, 0.8 - 0.08 * np.arange(11), atol=1e-2)
    (diagram,) = rips_diagrams(torch.from_numpy(clouds[-1]), (0,))
    torch.testing.assert_close(diagram, PAIR, atol=1e-2, rtol=0)


def test_a_bar_of_less_than_half_the_length_is_stuck_at_the_diagonal():
    start = np.array([[0.0, 0.0], [0.9, 0.0]])
    clouds, losses = pointclouds.descend(start, (PAIR,), build_terms(BOTTLENECK), steps=2, learning_rate=0.1)
    assert losses.tolist() == [1, 1, 1]
    np.testing.assert_array_equal(clouds[-1], start)


@pytest.fixture(scope="module")
def arrays():
    return pointclouds.experiment(
        start=[{"kind": "clusters", "centres": [[0, 0], [3, 0]], "points": 4, "sd": 0.2}],
        target=[{"kind": "clusters", "centres": [[0, 0]], "points": 8, "sd": 0.2}],
        terms=BOTTLENECK,
        steps=20,
        learning_rate=0.05,
        kernel_width=1,
        frames=3,
        seed=0,
    )


def test_the_kept_clouds_have_their_diagrams(arrays):
    assert arrays["steps"].tolist() == [0, 10, 20]
    assert arrays["losses_spread"].shape == (21,)
    rows = arrays["diagrams_spread"]
    for frame, cloud in enumerate(arrays["clouds_spread"]):
        for degree, diagram in enumerate(rips_diagrams(torch.from_numpy(cloud))):
            own = rows[(rows[:, 0] == frame) & (rows[:, 1] == degree), 2:]
            np.testing.assert_array_equal(own, diagram)


def test_steps_to_half_are_counted_to_the_lowest_of_both():
    losses = {"losses_plain": np.array([4.0, 3.0, 2.0]), "losses_spread": np.array([4.0, 1.0, 0.0])}
    halves = pointclouds.steps_to_half({"both": losses, "level": {"losses_plain": np.ones(3)}})
    assert halves["half"].tolist() == [2, 2, 1]
    np.testing.assert_array_equal(halves["steps"], [2, 1, np.nan])


def test_equal_descents_are_equal_animations(arrays, tmp_path):
    use_style()
    files = [tmp_path / name for name in ("first.gif", "second.gif")]
    for file in files:
        save_animation(animated_descent(arrays), file, frames_per_second=5)
    assert files[0].read_bytes() == files[1].read_bytes()
