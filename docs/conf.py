"""How Sphinx builds the site: `make docs` writes site/html, without network. A warning is an error."""

import os
from pathlib import Path

import yaml
from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from topogen.tables.keys import key_reference
from torchrips import __version__

CLONE = Path(__file__).parents[1]
LOGGER = logging.getLogger(__name__)
# Files outside of docs/ that pages in it link to, and the pages that show them in the site.
SHOWN_ON = {
    "../README.md": "index.md",
    "../CONTRIBUTING.md": "contributing.md",
    "../CHANGELOG.md": "changelog.md",
    "../config/README.md": "configuration.md",
    "../docs/studies.md": "studies.md",
    "../docs/spheres.md": "spheres.md",
}

project = "TopoGen"
author = "The TopoGen developers"
copyright = author  # noqa: A001
release = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
nitpicky = True  # a name in a docstring that leads nowhere is a fault
nitpick_ignore_regex = [("py:exc", r"TypeError, ValueError")]  # built into Python

# Markdown.
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# Tutorials: every cell runs, and what it says on stderr is a fault as well. Each page has one core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
nb_execution_mode = "force"
nb_execution_timeout = 300  # seconds for a cell, which takes a few on a quiet machine
nb_execution_raise_on_error = True
nb_output_stderr = "error"
nb_merge_streams = True

# Docstrings.
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Shape", "Source"]
autodoc_typehints = "none"  # the docstrings state shapes, which types cannot

# Pages.
html_theme = "furo"
html_title = f"TopoGen {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_search_summary = False  # a page that is opened as a file may not fetch others


def write_formula(translator: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    """Write a formula as MathML, which browsers draw themselves: no script, no font, no network."""
    block = isinstance(node, nodes.math_block)
    try:
        formula = tex2mathml(node.astext(), as_block=block)
    except MathError as error:
        LOGGER.warning("a formula that docutils cannot read: %s", error, location=node)
        raise nodes.SkipNode from None
    translator.body.append(f'<div class="formula">{formula}</div>' if block else formula)
    raise nodes.SkipNode


def link_within_the_site(_: Sphinx, docname: str, source: list[str]) -> None:
    """Lead links to files outside of docs/ to the pages that show them."""
    for file, page in SHOWN_ON.items():
        source[0] = source[0].replace(f"]({file}", f"]({page}")


def write_every_key(_: Sphinx, docname: str, source: list[str]) -> None:
    """Add the keys of the configuration, as the schema and config.yaml have them, to their page."""
    if docname == "keys":
        files = ("workflow/schemas/config.schema.yaml", "config.yaml")
        contents = [yaml.safe_load(Path(CLONE, name).read_text(encoding="utf-8")) for name in files]
        source[0] += key_reference(*contents)


def setup(app: Sphinx) -> None:
    """Register what is above."""
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))
    app.connect("source-read", link_within_the_site)
    app.connect("source-read", write_every_key)
