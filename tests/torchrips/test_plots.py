"""Pictures of diagrams."""

import math
import subprocess
import sys

import matplotlib as mpl
import pytest
import strategies
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import at_most

from torchrips import plot_barcode, plot_diagram, rips_diagrams

mpl.use("Agg")
BARS = torch.tensor([[0.0, 1.0], [0.5, math.inf]]), torch.tensor([[1.0, 3.0]])


@pytest.fixture(autouse=True)
def _close():
    yield
    mpl.pyplot.close("all")


def test_a_diagram_is_drawn_point_by_point():
    axes = plot_diagram(BARS)
    first, second = (points.get_offsets().tolist() for points in axes.collections)
    assert first[0] == [0, 1]
    assert first[1][1] > 3  # deaths at infinity are above the others
    assert second == [[1, 3]]
    assert axes.get_legend_handles_labels()[1] == ["degree 0", "degree 1"]


def test_a_barcode_is_drawn_bar_by_bar():
    axes = plot_barcode(BARS, degrees=(0, 2))
    segments = [segment.tolist() for lines in axes.collections for segment in lines.get_segments()]
    assert [[start, end][0] for (start, _), (end, _) in segments] == [0, 0.5, 1]
    assert segments[0][1][0] == 1
    assert segments[1][1][0] > 3
    assert [height for (_, height), _ in segments] == [0, 1, 2]
    assert axes.get_legend_handles_labels()[1] == ["degree 0", "degree 2"]


@at_most(10)
@given(several=st.lists(strategies.diagrams(), max_size=3))
def test_every_bar_is_drawn_once(several):
    points = [drawn.get_offsets().tolist() for drawn in plot_diagram(several).collections]
    barcode = plot_barcode(several).collections
    lines = [[segment[:, 0].tolist() for segment in drawn.get_segments()] for drawn in barcode]
    assert points == lines == [diagram.tolist() for diagram in several]
    mpl.pyplot.close("all")


@pytest.mark.parametrize("plot", [plot_diagram, plot_barcode])
def test_what_is_drawn(plot):
    own = plot(rips_diagrams(torch.rand(9, 2, requires_grad=True)))
    assert plot(BARS[0], ax=own) is own
    for diagrams in (BARS[:1], BARS[0].numpy(), [], torch.zeros(0, 2), [torch.zeros(0, 2)] * 2, [[[0, 1]]]):
        plot(diagrams)
    for wrong in (torch.zeros(2), torch.tensor([[0.0, math.nan]]), [torch.zeros(2, 3)]):
        with pytest.raises(ValueError, match=r"expected diagrams of shape \(k, 2\)"):
            plot(wrong)
    with pytest.raises(ValueError, match="a degree for each of 2 diagrams"):
        plot(BARS, degrees=(1,))


def test_matplotlib_is_imported_when_something_is_drawn_and_asked_for_when_missing():
    code = """
import sys, torch, torchrips
draw = torchrips.plot_diagram
assert "matplotlib" not in sys.modules
sys.modules["matplotlib"] = None
try:
    draw(torch.zeros(1, 2))
except ImportError as error:
    assert "pip install matplotlib" in str(error)
else:
    raise AssertionError
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
