"""Commands on the pages can be typed, and the site works in a browser without network: see `make docs`."""

import re
import shlex
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import browser
import pytest

pytestmark = pytest.mark.docs
ROOT = Path(__file__).parents[1]
SITE = ROOT / "site/html"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
PROGRAMS = ("snakemake", "make", "pip", "source", "tests/")
TARGETS = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
PLACEHOLDER = {"CLONE": ".", "FOLDER": "results", "FILE": "config/demo.yaml"}


def commands():
    """Every command on the pages, in blocks and in text, once; continued lines as one."""
    found = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        blocks = re.findall(r"^    (\S.*)$", text, re.M)
        inline = re.findall(r"`([^`\n]+ [^`\n]+)`", text)
        for command in (*blocks, *inline):
            words = " ".join(command.split())
            if words.startswith(PROGRAMS):
                found.setdefault(words, page.name)
    return sorted(found)


COMMANDS = commands()


def test_commands_are_found():
    assert {command.split()[0] for command in COMMANDS} >= {"snakemake", "make", "pip"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_can_be_typed(command):
    """A shell understands it, and what it names is there."""
    subprocess.run(["bash", "-n"], input=command, text=True, check=True)
    program, *arguments = shlex.split(command, comments=True)
    if program == "make":
        assert [word for word in arguments if "=" not in word and word not in TARGETS] == []
    elif program.startswith("tests/"):
        assert (ROOT / program).is_file()


def planned_by(command):
    """Arguments of a command of Snakemake, without those that do not change which jobs it plans."""
    text = re.sub(r" (-n|--cores \S+)(?= |$)", "", command)
    return tuple(PLACEHOLDER.get(word, word) for word in shlex.split(text, comments=True)[1:])


PLANS = {planned_by(command) for command in COMMANDS if command.startswith("snakemake ")} - {("all",)}


@pytest.mark.parametrize("arguments", sorted(PLANS), ids=" ".join)
def test_a_command_of_snakemake_plans_its_jobs(arguments):
    cores = [] if "--workflow-profile" in arguments else ["--cores", "1"]
    planned = subprocess.run(
        ["snakemake", "--dry-run", "--quiet=all", *cores, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert planned.returncode == 0, planned.stdout + planned.stderr


class Links(HTMLParser):
    """Addresses that a page links to or shows, and names that can be linked to."""

    def __init__(self):
        super().__init__()
        self.addresses, self.names = [], set()

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.names.add(known.get("id"))
        self.addresses += [known[key] for key in ("href", "src") if known.get(key)]


@pytest.fixture(scope="module")
def site():
    """The pages that `make docs` has just built."""
    if not (SITE / "index.html").is_file():
        pytest.skip("the site is not built: make docs")
    return {page: Links() for page in SITE.rglob("*.html")}


def test_every_link_of_the_site_leads_somewhere(site):
    for page, links in site.items():
        links.feed(page.read_text(encoding="utf-8"))
    broken = []
    for page, links in site.items():
        for address in links.addresses:
            path, name = urldefrag(unquote(address).split("?")[0])
            target = (page.parent / path).resolve() if path else page
            if re.match(r"\w+:", address):
                continue
            if not target.is_file() or (name and target in site and name not in site[target].names):
                broken.append((page.name, address))
    assert broken == []


@pytest.fixture
def opened(site, tmp_path):
    """A browser without network, as wide as a phone."""
    if not browser.chromium():
        pytest.skip("no Chromium here (Debian: apt-get install chromium)")
    page = browser.Browser(browser.chromium(), tmp_path / "profile", size=(500, 900))
    try:
        yield page
        assert [address for address in page.requests if not address.startswith(SITE.as_uri())] == []
        assert page.faults == []
    finally:
        page.close()


@pytest.mark.parametrize(
    "name", ["index", "findings", "keys", "faq", "archive", "torchrips/gallery", "torchrips/api/index"]
)
def test_a_page_fits_a_phone_and_shows_its_pictures(opened, name):
    opened.open(SITE / f"{name}.html")
    assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    pictures = "[...document.querySelectorAll('article img')]"
    opened.evaluate(f"{pictures}.forEach(picture => {{ picture.loading = 'eager'; }})")
    opened.wait_for(f"{pictures}.every(picture => picture.complete && picture.naturalWidth > 0)")


def test_the_search_finds_a_page(opened):
    opened.open(SITE / "search.html")
    opened.evaluate("location.search = '?q=bottleneck'")
    opened.wait_for("document.querySelectorAll('ul.search li a').length > 0")
