# Two commands open the README: `make demo` and `make test`. Both set up all they need in .venv.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if $$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test check bench docs lock clean

help:  ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: $(VENV)/core.stamp  ## Train a sweep of 12 trials on this machine, two at a time
	PATH="$(CURDIR)/$(BIN):$$PATH" sweeper run configs/quickstart.yaml

test: $(VENV)/dev.stamp  ## Run the tests with the coverage gate
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered

check: $(VENV)/dev.stamp  ## Check format, lint, types and import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp  ## Measure speed, as ratios to a peer in the same run
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/throughput.py

docs: $(VENV)/dev.stamp  ## Write into README what is generated from the code
	$(BIN)/python docs/generate.py

lock: $(VENV)/dev.stamp  ## Resolve the dependencies anew, with hashes and without host names
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet --group dev --extra search pyproject.toml -o requirements-dev.lock

clean:  ## Remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "sweeper needs Python 3.11 or newer with its venv module" \
		"(on Debian: apt-get install python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/core.stamp: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --no-deps -r requirements.lock
	$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	$(PIP) install --no-deps --editable .
	@touch $@ $(VENV)/core.stamp
