# Thin calls, no logic: every target is one command inside the locked environment.
PYTHON ?= python3
VENV ?= .venv
PEERS ?= .venv-peers
CORES ?= all
TARGETS ?= all
ARCHIVE ?= archive.zip
LOCK := $(VENV)/locked-$(firstword $(shell cksum requirements.lock))
PEERS_LOCK := $(PEERS)/locked-$(firstword $(shell cksum requirements-peers.lock))
# Caches of Snakemake and matplotlib: in the clone if the home cannot be written.
CACHE := $(shell home="$${XDG_CACHE_HOME:-$$HOME/.cache}"; mkdir -p "$$home" 2>/dev/null && test -w "$$home" && echo "$$home")
export XDG_CACHE_HOME := $(or $(CACHE),$(CURDIR)/.snakemake/cache)
NOTEBOOKS := $(basename $(notdir $(wildcard notebooks/*.ipynb)))
RUN := PATH="$(abspath $(VENV))/bin:$$PATH"
RUN_PEERS := PATH="$(abspath $(PEERS))/bin:$$PATH"
COMPILE := $(RUN) uv pip compile --quiet --universal --python-version 3.11 --extra workflow --extra slurm --extra docs --extra dev \
    --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml
# They share one small run of the whole workflow, which takes minutes.
END_TO_END := $(addprefix tests/workflow/test_,archive.py faults.py report.py workflow.py)

.PHONY: results demo slurm-demo report archive verify redraw docs test lint check-packages check-run check-workflow check-fast \
    test-faults test-network test-wheel conformance benchmark benchmark-gpu budget environment peers rulegraph lock unlock clean

results: environment ## every figure and table of the thesis
	$(RUN) snakemake --cores $(CORES) all

demo: environment ## every kind of figure and table in minutes, without a download: results-demo/report.html
	mkdir -p results-demo
	$(RUN) snakemake --directory results-demo --configfile config/demo.yaml --cores $(CORES) all
	$(RUN) snakemake --directory results-demo --configfile config/demo.yaml --report report.html

slurm-demo: environment ## the demo's jobs through Slurm, which is started here for it: as root on Debian; results-slurm/
	$(RUN) tests/slurm/demo.sh $(TARGETS)

report: environment ## results/report.html: one file with everything, once the results are there
	$(RUN) snakemake --report results/report.html

archive: environment ## archive.zip: the results, the report and what made them, once the results are there
	$(RUN) snakemake --cores $(CORES) $(TARGETS) configuration
	$(RUN) snakemake --report results/report.html -- $(TARGETS)
	$(RUN) snakemake --summary $(TARGETS) configuration > results/files.tsv
	$(RUN) python -m topogen.archive $(ARCHIVE)

verify: environment ## numbers of results/ beside those of ARCHIVE=archive.zip; another verdict is an error
	$(RUN) python -m topogen.verification $(ARCHIVE)

redraw: environment ## redrawn/: every figure and table from the numbers in ARCHIVE=archive.zip, without training
	$(RUN) python -m zipfile --extract $(ARCHIVE) redrawn
	$(RUN) snakemake --directory redrawn --configfile redrawn/results/config.yaml --replace-workflow-config \
	    --cores $(CORES) --allowed-rules $(TARGETS) $(NOTEBOOKS) --forcerun $(NOTEBOOKS) -- $(TARGETS)

docs: environment ## the site, site/html/index.html: built without network, tutorials run, commands tried, opened in a browser
	$(RUN) sphinx-build --fresh-env --fail-on-warning --keep-going --jobs auto --doctree-dir site/doctrees docs site/html
	$(RUN) pytest -m docs tests/test_pages.py tests/test_extending.py

test: environment ## what CI runs: the linters, the tests of the packages and those of the workflow, at the same time
	$(MAKE) --jobs 4 lint check-packages check-run check-workflow

lint: environment
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) snakefmt --check Snakefile workflow
	$(RUN) snakemake --lint
	$(RUN) mypy

# Beside check-run, which takes longest, the other two wait.
check-packages: environment
	$(RUN) nice pytest --ignore tests/workflow

check-run: environment
	$(RUN) pytest $(END_TO_END)

check-workflow: environment
	$(RUN) nice pytest tests/workflow $(END_TO_END:%=--ignore=%)

check-fast: environment ## the tests that run no workflow, with few random examples: two minutes
	$(RUN) pytest --ignore tests/workflow --hypothesis-profile fast -m "not (slow or network or wheel or docs)"

test-faults: environment ## kills, full disks, second runs, the report in a browser, and Slurm, where these can be installed: an hour
	$(RUN) pytest -m "faults or slurm"

test-network: environment ## what needs a package mirror
	$(RUN) pytest -m network

test-wheel: environment ## the layer as a wheel: by itself, with the lowest versions allowed, on newer versions of Python
	$(RUN) pytest -m wheel

conformance: peers ## right and wrong answers, beside other libraries: docs/conformance.md
	$(RUN_PEERS) python benchmarks/conformance.py

benchmark: peers ## speed of the layer, beside other libraries (docs/benchmark.md) and by size (docs/sizes.md), and of the steps
	$(RUN_PEERS) snakemake --cores $(CORES) --until prepare # the images that it takes
	$(RUN_PEERS) python benchmarks/layer.py
	$(RUN_PEERS) python benchmarks/sizes.py
	$(RUN_PEERS) python benchmarks/spreading.py
	$(RUN_PEERS) python benchmarks/steps.py

benchmark-gpu: peers ## the layer and training steps on a GPU (docs/benchmark_gpu.md); without one, a rehearsal on the CPU
	$(RUN_PEERS) snakemake --cores $(CORES) --until prepare # the images that it takes
	$(RUN_PEERS) python benchmarks/gpu.py

budget: environment ## where the minutes of the last `make results` went, by rule
	$(RUN) python benchmarks/budget.py

environment: $(LOCK)
peers: $(PEERS_LOCK) ## a second environment: the first one and the libraries we compare with
environment peers:
	$(<D)/bin/pip install --quiet --no-deps --no-build-isolation --editable .

# The name has the checksum of the lock, so its time says nothing: that of a new clone is always younger.
$(LOCK): | requirements.lock
$(PEERS_LOCK): | requirements-peers.lock
$(LOCK) $(PEERS_LOCK):
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --require-hashes --requirement $|
	rm -f $(@D)/locked-* && touch $@

rulegraph: environment ## docs/rulegraph.svg, the picture of the rules; needs Graphviz
	$(RUN) snakemake --forceall --rulegraph -- all | sed '/label = "all"/d; /-> 0$$/d; s/color = "[^"]*", //' | \
	    dot -Grankdir=LR -Gnodesep=0.12 -Granksep=0.9 -Nheight=0.2 -Nmargin=0.08,0.03 -Npenwidth=1 -Epenwidth=0.8 -Tsvg \
	    > docs/rulegraph.svg

lock: ## resolve both locks anew, from pyproject.toml; what both name, they name alike
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --extra peers --constraint requirements.lock --output-file requirements-peers.lock

unlock: environment ## after a killed run
	$(RUN) snakemake --unlock

clean:
	rm -rf results results-demo results-slurm redrawn
