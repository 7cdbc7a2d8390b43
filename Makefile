# Thin calls, no logic: every target is one command inside the locked environment.
PYTHON ?= python3
VENV ?= .venv
CORES ?= all
LOCK := $(VENV)/locked-$(firstword $(shell cksum requirements.lock))
RUN := PATH="$(abspath $(VENV))/bin:$$PATH"

.PHONY: results test lint check test-faults slurm test-network test-wheel benchmark environment lock unlock clean

results: environment ## every figure and table of the thesis
	$(RUN) snakemake --cores $(CORES) all

test: lint check ## what CI runs

lint: environment
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) snakefmt --check Snakefile workflow
	$(RUN) snakemake --lint
	$(RUN) mypy

check: environment
	$(RUN) pytest

test-faults: environment slurm ## kills, full disks, second runs, and Slurm where it can be installed: half an hour
	$(RUN) pytest -m "faults or slurm"

slurm: environment ## what `snakemake --workflow-profile profiles/slurm` needs besides
	$(VENV)/bin/pip install --quiet --no-build-isolation --editable .[slurm]

test-network: environment ## what needs a package mirror
	$(RUN) pytest -m network

test-wheel: environment ## the library by itself, in a new environment without the workflow's packages
	rm -rf dist
	$(RUN) python -m build --wheel > /dev/null
	$(PYTHON) -m venv dist/venv
	dist/venv/bin/pip install --quiet dist/*.whl
	cd dist && venv/bin/python ../tests/wheel.py

benchmark: environment
	$(RUN) python benchmarks/steps.py

environment: $(LOCK)
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation --editable .

$(LOCK): requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes --requirement requirements.lock
	rm -f $(VENV)/locked-* && touch $@

lock: ## resolve requirements.lock anew, from pyproject.toml
	$(RUN) uv pip compile --quiet --universal --python-version 3.11 --extra workflow --extra dev --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    pyproject.toml --output-file requirements.lock

unlock: environment ## after a killed run
	$(RUN) snakemake --unlock

clean:
	rm -rf results
