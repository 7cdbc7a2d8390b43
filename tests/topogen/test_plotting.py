import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from scipy import stats

from topogen.plotting import diagrams as draw_diagrams
from topogen.plotting import evidence as draw_evidence
from topogen.plotting import held_out as draw_held_out
from topogen.plotting import sweeps as draw_sweeps
from topogen.plotting import theory as draw_theory
from topogen.plotting.images import image_grid
from topogen.plotting.latents import before_and_after
from topogen.plotting.style import save, use_style
from topogen.theory import differentiability as theory
from topogen.theory import stability
from topogen.theory.concepts import delta_selection, filtration, three_loops


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


CLOUDS = [{"shape": "cube", "dimension": 2, "points": 8, "degrees": [0, 1]}]


def gradients():
    errors = theory.gradient_errors(CLOUDS, {"push": {}, "bottleneck": {}}, count=3, step=1e-6, seed=0)
    paths = theory.exception_paths({"push": {}}, delta=0.1)
    return draw_theory.gradient_checks(errors, theory.along_paths(paths), "push", tolerance=1e-5)


def complexes():
    return draw_diagrams.rips_filtration(filtration(three_loops(0.1, 2), [0.5, 0.65], 0.6))


def selection():
    return draw_diagrams.delta_selection(
        delta_selection(filtration(three_loops(0.1, 2), [1], 1)["diagram_1"], 0.1)
    )


def held_out():
    rows = [
        (model, step, metric, 0.1, -0.1, 0.3, spread)
        for model in ("TopoVAE1", "TopoVAE2")
        for step, spread in ((50, 0.0), (469, 2.0))  # at step 50 the baseline does not vary
        for metric in ("bce", "recall")
    ]
    columns = ["model", "step", "metric", "difference", "difference_low", "difference_high", "spread"]
    return pd.DataFrame(rows, columns=columns)


def samples():
    images = np.random.default_rng(0).random((8, 1, 28, 28))
    return draw_held_out.prior_samples({"VAE0": {50: images}, "TopoVAE1": {50: images / 2}})


def sizes():
    """More terms than a palette has colours."""
    terms = [f"{prefix}term_{number}" for prefix in ("", "as_run_") for number in range(12)]
    rows = [("TopoVAE1", term, step, 0.1 * step, 0.0, 0.2) for term in terms for step in (0, 1)]
    return pd.DataFrame(rows, columns=["model", "term", "step", "mean", "low", "high"])


FIGURES = {
    "sizes of gradients": lambda: draw_evidence.gradient_size_curves(sizes()),
    "held-out": lambda: draw_held_out.paired_gains(held_out(), ["TopoVAE1", "TopoVAE2"], ["bce", "recall"]),
    "price and gain": lambda: draw_held_out.price_and_gain(held_out(), ["TopoVAE1"], "bce", ["recall"]),
    "samples": samples,
    "gradients": gradients,
    "complexes": complexes,
    "selection": selection,
    "stability": lambda: draw_theory.stability_scatter(stability.stability(CLOUDS, 2, (0.01, 0.1), seed=0)),
    "entropy": lambda: draw_theory.entropy_near_diagonal(theory.entropy_near_diagonal([0, 0.1])),
}


# The legend of so many terms leaves their panel no room; equal bytes are equal all the same.
@pytest.mark.filterwarnings("ignore:constrained_layout not applied")
@pytest.mark.parametrize("name", FIGURES)
def test_equal_numbers_are_equal_bytes(name, tmp_path):
    use_style()
    for run in ("first", "second"):
        save(FIGURES[name](), *(tmp_path / f"{run}.{kind}" for kind in ("svg", "png")))
    for kind in ("svg", "png"):
        assert (tmp_path / f"first.{kind}").read_bytes() == (tmp_path / f"second.{kind}").read_bytes()


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_tiled_in_their_colours(channels):
    images = np.random.default_rng(0).random((16, channels, 5, 3))
    drawn = np.asarray(image_grid(Figure().subplots(), images, "").images[0].get_array())
    assert drawn.shape == ((10, 24) if channels == 1 else (10, 24, 3))
    tile = drawn[5:10, 3:6]  # second row, second column
    np.testing.assert_array_equal(tile if channels == 3 else tile[:, :, None], images[9].transpose(1, 2, 0))


@pytest.mark.parametrize("classes", [3, 10, 26])
def test_every_class_has_a_colour_of_its_own(classes):
    arrays = {"label": np.arange(60) % classes, "z_before": np.ones((60, 2)), "z_after": np.ones((60, 2))}
    figure = before_and_after({"VAE0": arrays})
    figure.draw_without_rendering()
    (dots,) = figure.axes[0].collections
    assert len({tuple(colour) for colour in dots.get_facecolors()}) == classes
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == [str(label) for label in range(classes)]
    for dot, colour in zip(figure.legends[0].get_lines(), dots.get_facecolors(), strict=False):
        assert to_rgba(dot.get_color()) == pytest.approx(colour)


def test_errors_of_all_clouds_are_drawn():
    errors = pd.DataFrame({"regularizer": ["push"] * 3, "degree": [0, 0, 1], "error": [0, 1e-9, 1e-3]})
    ax = draw_theory.gradient_errors(Figure().subplots(), errors, tolerance=1e-5)
    drawn = [x for dots in ax.collections for x in dots.get_offsets()[:, 0].tolist()]
    assert sorted(drawn) == [1e-13, 1e-9, 1e-3]


def test_a_sweep_fills_what_is_found_and_maps_two_keys():
    values = [{"strength": 1}, {"strength": 2}, *({"a": a, "b": b} for a in (1, 2) for b in ("x", "y"))]
    variants = [{"model": str(n), "varied": "V", "values": entry} for n, entry in enumerate(values)]
    effects = pd.DataFrame(
        [
            {"model": str(n), "step": step, "n": 5, "mean": n / 10, "sd": 1.0, "p_holm": n / 50}
            | {"low": -1.0, "high": 1.0}
            for step in (25, 99)
            for n in reversed(range(len(values)))
        ]
    )
    figure = draw_sweeps.sweep_grid(effects, variants, confidence=0.95)
    points, _, heat, _ = figure.axes
    assert "(sign flips)" in points.get_ylabel()
    filled = {
        dot.get_xdata()[0]: dot.get_markerfacecolor() != "white"
        for dot in points.lines
        if dot.get_marker() == "o"
    }
    assert filled == {0: True, 1: True}
    assert [text.get_text() for text in heat.texts] == ["0.20*", "0.40", "0.30", "0.50"]


def test_an_infinite_interval_gives_way_to_the_t_interval_and_the_figure_says_so():
    columns = {"model": "M", "step": 25, "n": 5, "mean": 1.0, "sd": 2.0, "low": -np.inf, "high": np.inf}
    effects, name = draw_evidence.intervals_that_fit(pd.DataFrame([columns]), confidence=0.95)
    half = stats.t.ppf(0.975, 4) * 2 / np.sqrt(5)
    assert effects[["low", "high"]].to_numpy().tolist() == [
        [pytest.approx(1 - half), pytest.approx(1 + half)]
    ]
    assert name == "95 % t interval"


@pytest.mark.parametrize(("metric", "turned"), [("bce", -1), ("recall", 1)])
def test_above_zero_is_better_and_the_unit_is_the_spread(metric, turned):
    ax = draw_held_out.gains(Figure().subplots(), held_out(), metric, {"TopoVAE1": "red"})
    before, end = ax.lines[0].get_ydata()
    assert np.isnan(before)
    assert end == pytest.approx(turned * 0.1 / 2)
    drawn = [segment[:, 1].tolist() for segment in ax.collections[0].get_segments() if len(segment)]
    assert drawn[-1] == pytest.approx(sorted([turned * -0.1 / 2, turned * 0.3 / 2]))


def test_the_price_of_a_loss_lies_to_the_right():
    """BCE is lower if better: 0.1 more of it is a price of 0.1."""
    rows = held_out().query("step == 469")
    ax = draw_held_out.trade_off(Figure().subplots(), rows, "bce", "recall", {"TopoVAE1": "red"})
    (point,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert point.get_xydata().tolist() == [[0.1, 0.1]]
    across, up = (lines.get_segments()[0].tolist() for lines in ax.collections)
    assert across == [[-0.1, 0.1], [0.3, 0.1]]
    assert up == [[0.1, -0.1], [0.1, 0.3]]
