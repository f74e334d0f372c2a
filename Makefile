# `make help` lists the targets. Everything is installed in .venv and .clients of this checkout, from lock files with
# hashes; a stamp in each environment makes the second time quick.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
CLIENTS := .clients
OLD_CLIENTS := 1.8.1 1.9.4 1.12.4 1.30.0
INSTALL := scripts/venv scripts/find-python scripts/system-packages

# Debian packages that code is contained with; without them the server runs, and executes nothing.
SANDBOX_PACKAGES := bubblewrap

# Debian packages that the tests call by name, beside Python itself.
TEST_PACKAGES := $(SANDBOX_PACKAGES) gcc git libc6-dev python3-numpy python3-pip sudo
# How many hostile inputs `make fuzz` tries.
FUZZ_INPUTS ?= 200000

export PYTHON

.PHONY: help demo test check bench docs fuzz lock clean format lint types imports architecture package clients

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## Serve a folder to a real client, and show that the guards hold
	@scripts/system-packages $(SANDBOX_PACKAGES)
	@$(PY) -m mcp_server demo

test: $(VENV)/.test clients ## Run the whole test suite, with branch coverage
	@scripts/system-packages $(TEST_PACKAGES)
	@status=0; $(PY) -m coverage run -m pytest || status=$$?; $(PY) -m coverage report || status=$$?; exit $$status

check: lint types imports architecture docs package ## Format, lint, types, imports, architecture, docs, package

lint: $(VENV)/.check ## Lint, and check the format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(VENV)/.check ## Check the types
	$(PY) -m mypy

imports: $(VENV)/.check ## Check that imports run downwards only
	$(VENV)/bin/lint-imports

architecture: $(VENV)/.check ## Check the shape of the house
	$(PY) -m pytest tests/architecture

docs: $(VENV)/.check ## Build the documentation into site/
	@# The theme would speak of the future of MkDocs at every build.
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet --site-dir site

package: $(VENV)/.check ## Build the package into dist/
	rm -rf dist
	$(PY) -m build --no-isolation --outdir dist . >/dev/null
	$(PY) scripts/check_wheel.py dist/*.whl

bench: $(VENV)/.test ## Measure
	$(PY) -m benchmarks

fuzz: $(VENV)/.test ## Try FUZZ_INPUTS hostile inputs (200,000 by default)
	$(PY) -m tests.fuzz.run --count $(FUZZ_INPUTS)

format: $(VENV)/.check ## Format the code, and mend what the linter can
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

lock: $(VENV)/.lock $(CLIENTS)/node/.ready ## Write the lock files anew; UPGRADE=1 takes newer versions
	scripts/lock $(VENV) $(CLIENTS)/node $(if $(UPGRADE),--upgrade)

clean: ## Remove everything that these targets made
	rm -rf $(VENV) $(CLIENTS) build dist site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environments. `.check` holds all of `.test`, and `.test` all of `.runtime`, in the same versions.

$(VENV)/.runtime $(VENV)/.test $(VENV)/.check: $(VENV)/.%: requirements/%.txt pyproject.toml $(INSTALL)
	@scripts/venv $(VENV) $< .
	@touch $@

$(VENV)/.lock: requirements/lock.txt $(INSTALL)
	@scripts/venv $(VENV) $<
	@touch $@

clients: $(OLD_CLIENTS:%=$(CLIENTS)/mcp-%/.ready) $(CLIENTS)/inspector/.ready ## Install the clients that the tests use

$(CLIENTS)/mcp-%/.ready: requirements/clients/mcp-%.txt $(INSTALL)
	@scripts/venv $(@D) $<
	@touch $@

$(CLIENTS)/node/.ready: requirements/clients/node.txt $(INSTALL)
	@scripts/venv $(@D) $<
	@touch $@

$(CLIENTS)/inspector/.ready: tests/clients/inspector/package-lock.json scripts/inspector $(CLIENTS)/node/.ready
	@scripts/inspector $(@D) $(CLIENTS)/node
	@touch $@
