# Two commands open the README: `make demo` and `make test`. Both set up all they need in .venv.
SHELL := /bin/sh
VENV := .venv
OUTSIDE := .venv-outside
FUZZ := .venv-fuzz
POSTGRES := .venv-postgres
MUTANTS := .venv-mutants
DEPLOY := .venv-deploy
MANIFESTS := .venv-manifests
PRISM := tests/outside/prism
# node trusts a list of its own; what this machine trusts is added to it.
CERTIFICATES := $(wildcard /etc/ssl/certs/ca-certificates.crt)
BIN := $(VENV)/bin
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if $$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test check soak outside soak-long bench postgres test-deploy boards fuzz planted mutants docs lock clean

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
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml sweeper

SEEDS ?= 20000
FROM ?= 0
JOBS ?= 2
soak: $(VENV)/dev.stamp  ## Play SEEDS worlds from seed FROM on in virtual time, in JOBS processes; PAIRS=1: all pairs of deaths
	$(if $(PAIRS),$(BIN)/python -m tests.simulation.crash_soak --jobs $(JOBS),\
		$(BIN)/python -m tests.simulation --seeds $(SEEDS) --from $(FROM) --jobs $(JOBS))

outside: $(VENV)/core.stamp $(OUTSIDE)/stamp  ## Let software of others check the local control plane
	@if command -v npm >/dev/null && command -v node >/dev/null; then \
		NODE_EXTRA_CA_CERTS="$${NODE_EXTRA_CA_CERTS:-$(CERTIFICATES)}" \
			npm ci --prefix $(PRISM) --no-audit --no-fund --loglevel=error && \
		$(OUTSIDE)/bin/python -m pytest -c tests/outside/pytest.toml tests/outside; \
	else \
		echo "There is no node with npm here: the proof by Prism is left out"; \
		$(OUTSIDE)/bin/python -m pytest -c tests/outside/pytest.toml tests/outside \
			--ignore=tests/outside/test_prism.py; \
	fi

soak-long: $(VENV)/dev.stamp  ## Run 20,000 trials through faults and kills and see what grows
	$(BIN)/python benchmarks/soak.py

bench: $(VENV)/dev.stamp  ## Measure speed, as ratios to a peer in the same run
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/throughput.py
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/server.py
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/recovery.py
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/scrape.py
	PATH="$(CURDIR)/$(BIN):$$PATH" python benchmarks/search.py

postgres: $(POSTGRES)/stamp  ## Run the tests of the store on a PostgreSQL server of their own
	$(POSTGRES)/bin/python -m pytest -m postgres --timeout 120 tests/store

test-deploy: $(DEPLOY)/stamp $(MANIFESTS)/stamp  ## Check boards, alerts, manifests and image with the software they are for
	sh tests/deploy/tools.sh
	$(DEPLOY)/bin/mypy --cache-dir build/mypy-deploy --no-error-summary --package grafana
	$(DEPLOY)/bin/python -m pytest -c tests/deploy/pytest.toml tests/deploy

boards: $(DEPLOY)/stamp  ## Write the dashboards' JSON from grafana/boards, and the operator's rules
	$(DEPLOY)/bin/python -m grafana.boards
	$(DEPLOY)/bin/python -m tests.deploy.kubernetes.prometheus_rule

fuzz: $(FUZZ)/stamp  ## Fuzz TARGET (all of tests/fuzz when not given) for SECONDS each
	@for target in $(or $(TARGET),$(notdir $(wildcard tests/fuzz/corpus/*))); do \
		mkdir -p $(FUZZ)/found/$$target && echo "== $$target" && \
		$(FUZZ)/bin/python -m tests.fuzz.guided $$target $(FUZZ)/found/$$target \
			tests/fuzz/corpus/$$target -max_total_time=$(or $(SECONDS),60) -timeout=20 \
			-rss_limit_mb=2000 -max_len=1500 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$(FUZZ)/broke-$$target- || exit 1; \
	done

planted: $(VENV)/dev.stamp  ## Let the tests find bugs that were planted by hand (JOBS at once)
	$(BIN)/python -m tests.planted

mutants: $(MUTANTS)/stamp  ## Count the mutations of the domain that no test notices (half an hour and more)
	$(MUTANTS)/bin/python -m tests.planted.mutants --jobs $${JOBS:-2}

docs: $(VENV)/dev.stamp  ## Write into README what is generated from the code
	$(BIN)/python docs/generate.py

lock: $(VENV)/dev.stamp  ## Resolve the dependencies anew, with hashes and without host names
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet -c requirements.lock --all-extras pyproject.toml -o requirements-extras.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet --group pyproject.toml:build -o requirements-build.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet --group dev --extra otel --extra search pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet --group pyproject.toml:outside -o requirements-outside.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet --group pyproject.toml:fuzz -o requirements-fuzz.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet -c requirements-dev.lock --group pyproject.toml:postgres \
		-o requirements-postgres.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet --group mutants --extra search pyproject.toml -o requirements-mutants.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet -c requirements-dev.lock --group pyproject.toml:deploy \
		-o requirements-deploy.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet --group pyproject.toml:manifests -o requirements-manifests.lock

clean:  ## Remove what the targets made
	rm -rf $(VENV) $(OUTSIDE) $(FUZZ) $(MUTANTS) $(POSTGRES) $(DEPLOY) $(MANIFESTS) build $(PRISM)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

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

# An environment beside the first, with what is locked for it; EDITABLE adds sweeper itself.
define ENVIRONMENT
	@test -n "$(PYTHON)" || { echo "sweeper needs Python 3.11 or newer with its venv module"; exit 1; }
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check --quiet install \
		--require-hashes --no-deps $(patsubst %,-r %,$(filter %.lock,$^))
endef
define EDITABLE
	$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --editable .
endef

$(OUTSIDE)/stamp: requirements-outside.lock
	$(ENVIRONMENT)
	@touch $@

$(POSTGRES)/stamp: requirements-dev.lock requirements-postgres.lock pyproject.toml
	$(ENVIRONMENT)
	$(EDITABLE)
	@touch $@

$(DEPLOY)/stamp: requirements-dev.lock requirements-deploy.lock pyproject.toml
	$(ENVIRONMENT)
	$(EDITABLE)
	@touch $@

$(MANIFESTS)/stamp: requirements-manifests.lock
	$(ENVIRONMENT)
	@touch $@

$(FUZZ)/stamp: requirements-dev.lock requirements-fuzz.lock pyproject.toml
	$(ENVIRONMENT)
	$(EDITABLE)
	@touch $@

$(MUTANTS)/stamp: requirements-mutants.lock pyproject.toml
	$(ENVIRONMENT)
	@touch $@
