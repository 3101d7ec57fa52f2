# Everything goes through .venv; each target does its own set-up on a bare Debian or Ubuntu.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test chaos matrix faults bench lint format docs screenshots clean

help: ## Show these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

# Made anew when the declared dependencies change. Debian splits venv from python3: get it where we may.
$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or later is needed; name it with PYTHON=...'; exit 5; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q python3-venv; } \
	  || { echo 'python3-venv is missing: apt-get install python3-venv'; exit 5; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -e '.[dev]' -c constraints.txt
	@touch $@

demo: $(VENV)/.installed ## Perform the whole guide on the sandbox and say where the pictures are
	$(BIN)/guiderunner setup
	$(BIN)/guiderunner run wordpress-migration --sandbox

# Two at once leave a tenth of two cores idle while they wait for pages: a third one takes it.
test: $(VENV)/.installed ## Run all tests: unit tests, the sandbox's own, and the flow in a real browser
	$(BIN)/guiderunner setup
	$(BIN)/python -m pytest -n $${TEST_WORKERS:-3} --dist worksteal

chaos: $(VENV)/.installed ## Run what takes hours: kill runs, browsers and sessions at every boundary and at random; all faults
	$(BIN)/guiderunner setup
	CHAOS=whole $(BIN)/python -m pytest -m "chaos or slow" -n $${TEST_WORKERS:-2} --dist worksteal

matrix: $(VENV)/.installed ## Perform the guide on each WordPress, in four languages, and print a table; fetches 170 MB once
	$(BIN)/guiderunner setup --wordpress all
	MATRIX=whole $(BIN)/python -m pytest -m matrix -n $${TEST_WORKERS:-2} --dist worksteal tests/flows/test_matrix.py

faults: $(VENV)/.installed ## Record anew how a run ends that meets each fault of the catalogue; takes an hour
	$(BIN)/guiderunner setup
	$(BIN)/python -m tests.faults
	$(BIN)/cog -r FAULTS.md

bench: $(VENV)/.installed ## Measure how fast it is, beside other tools; takes fifty minutes on a machine that does nothing else
	$(BIN)/python -m pip install -q -e '.[dev,bench]' -c constraints.txt
	$(BIN)/guiderunner setup
	$(BIN)/python -m tests.bench; code=$$?; $(BIN)/cog -r HOW-FAST.md && exit $$code

lint: $(VENV)/.installed ## Check format, style, types, and that the generated documentation is up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/cog --check --diff README.md FAULTS.md HOW-FAST.md
	$(BIN)/guiderunner list --env | diff .env.example -

format: $(VENV)/.installed ## Format the code and correct what can be corrected
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.installed ## Generate the command reference and the list of settings anew
	$(BIN)/cog -r README.md FAULTS.md HOW-FAST.md
	$(BIN)/guiderunner list --env > .env.example

screenshots: $(VENV)/.installed ## Take the pictures of the README anew, on the sandbox; replaces those that have changed
	$(BIN)/guiderunner setup
	folder=$$(mktemp -d) && $(BIN)/guiderunner regenerate --sandbox --runs $$folder && rm -rf $$folder

clean: ## Remove the environment and all that was generated
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist *.egg-info
