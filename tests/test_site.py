"""The pages of the site: no public name of the layer is missing, and all Python on them is run."""

import inspect
import re
import runpy
from pathlib import Path

import pytest
import yaml

import torchrips
from topogen.tables.keys import key_reference

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
API = [page.read_text(encoding="utf-8") for page in (DOCS / "torchrips/api").glob("*.md")]
RUN_BY_OTHER_TESTS = {DOCS / "layer.md", DOCS / "extending.md"}  # test_readme.py, test_extending.py


def public_names():
    """Names of the package, and those that its public modules define."""
    for name in set(torchrips.__all__) - {"__version__"}:
        value = getattr(torchrips, name)
        yield f"torchrips.{name}"
        if inspect.ismodule(value):
            for part, member in vars(value).items():
                if not part.startswith("_") and getattr(member, "__module__", None) == value.__name__:
                    yield f"torchrips.{name}.{part}"


def test_every_public_name_is_in_the_api():
    described = re.findall(r"^\.\. auto\w+:: (\S+)$", "\n".join(API), re.M)
    assert set(public_names()) <= set(described)
    assert len(set(described)) == len(described)


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_python_is_run_when_the_site_is_built(page):
    """Only {code-cell} is; what other fences hold is run by other tests."""
    fences = re.findall(r"^```+ *(\S*)", page.read_text(encoding="utf-8"), re.M)
    assert "python" not in fences or page in RUN_BY_OTHER_TESTS


def test_the_reference_of_the_configuration_has_every_key_and_says_what_it_means():
    schema, config = (
        yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
        for name in ("workflow/schemas/config.schema.yaml", "config.yaml")
    )
    rows = re.findall(r"^\| `(\S+)` \| (.*?) \| (.+?) \| (.+?) \|$", key_reference(schema, config), re.M)
    assert [key for key, meaning, _, _ in rows if not meaning.removesuffix(") ")] == []

    def names(node):
        for name, part in node.items() if isinstance(node, dict) else ():
            yield from part if name == "properties" else ()
            yield from names(part)

    assert [name for name in set(names(schema)) if not any(key.endswith(name) for key, *_ in rows)] == []


def test_the_page_of_what_was_run_is_that_of_the_kept_results():
    """If it fails: `python benchmarks/what_was_run.py`; a file of results that is new belongs to its KEPT."""
    script = runpy.run_path(str(ROOT / "benchmarks/what_was_run.py"))
    kept = {str(file.relative_to(DOCS)) for file in (DOCS / "studies").rglob("values.csv")}
    assert kept <= set(script["KEPT"])
    assert (DOCS / "what_was_run.md").read_text(encoding="utf-8") == script["page"]()
