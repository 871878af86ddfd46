# Every target sets up what it needs, in .venv, and does it once.
#
#   make demo     run the main job
#   make test     run every check
#   make lint     run the checks that need no test run
#   make bench    run the benchmarks
#   make gallery  run the studies of design questions, write docs/gallery
#   make coverage run the tests and show the lines that none of them reaches
#   make clean    remove everything that the other targets made

PYTHON ?= python3
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.ready-to-run
DEV_READY := $(VENV)/.ready-to-develop

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export NUMBA_CACHE_DIR := $(CURDIR)/.cache/numba

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench gallery coverage clean

help:
	@sed -n 's/^#   make/make/p' Makefile

demo: $(RUN_READY)
	$(BIN)/cosmic compare gpt3-175b-1024-devices-v1

test: lint
	@echo "== tests and doctests (pytest)"
	@$(BIN)/python -m pytest -q -n $(JOBS)

lint: $(DEV_READY)
	@echo "== format (ruff format)"
	@$(BIN)/ruff format --check .
	@echo "== style (ruff check)"
	@$(BIN)/ruff check .
	@echo "== types (mypy --strict)"
	@$(BIN)/mypy
	@echo "== floors (lint-imports)"
	@$(BIN)/lint-imports --no-logo

bench: $(DEV_READY)
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/collectives.py

gallery: $(DEV_READY)
	$(BIN)/python tools/make_gallery.py

coverage: $(DEV_READY)
	$(BIN)/python -m pytest -q -n $(JOBS) --cov --cov-report=term-missing:skip-covered

clean:
	rm -rf $(VENV) .cache .coverage .hypothesis .import_linter_cache .mypy_cache
	rm -rf .pytest_cache .ruff_cache build dist src/*.egg-info
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN_READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "cosmic needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) -V 2>/dev/null || echo missing)." >&2; \
	  echo "Name another one, as in: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "== setting up $(VENV), once"
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu, install python3-venv." >&2; \
	  rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(DEV_READY): $(RUN_READY)
	@echo "== adding the developer's tools to $(VENV), once"
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@
