import pandas as pd
import pytest
from matplotlib.figure import Figure

from topogen import theory
from topogen.concepts import delta_selection, filtration, three_loops
from topogen.plotting import diagrams as draw_diagrams
from topogen.plotting import theory as draw_theory
from topogen.plotting.style import save, use_style

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


FIGURES = {
    "gradients": gradients,
    "complexes": complexes,
    "selection": selection,
    "stability": lambda: draw_theory.stability_scatter(theory.stability(CLOUDS, 2, (0.01, 0.1), seed=0)),
    "entropy": lambda: draw_theory.entropy_near_diagonal(theory.entropy_near_diagonal([0, 0.1])),
}


@pytest.mark.parametrize("name", FIGURES)
def test_equal_numbers_are_equal_bytes(name, tmp_path):
    use_style()
    for run in ("first", "second"):
        save(FIGURES[name](), *(tmp_path / f"{run}.{kind}" for kind in ("svg", "png")))
    for kind in ("svg", "png"):
        assert (tmp_path / f"first.{kind}").read_bytes() == (tmp_path / f"second.{kind}").read_bytes()


def test_errors_of_all_clouds_are_drawn():
    errors = pd.DataFrame({"regularizer": ["push"] * 3, "degree": [0, 0, 1], "error": [0, 1e-9, 1e-3]})
    ax = draw_theory.gradient_errors(Figure().subplots(), errors, tolerance=1e-5)
    drawn = [x for dots in ax.collections for x in dots.get_offsets()[:, 0].tolist()]
    assert sorted(drawn) == [1e-13, 1e-9, 1e-3]
