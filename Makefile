# Needs make, Python 3.11 or newer with its headers, and a C compiler. `make` alone lists what there is to do.
# PYTHON=/path/to/python chooses the interpreter; ARGS="-k ledger" is passed on to pytest, the demo or the benchmarks.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help install demo test lint format docs bench proof histories machine mutants faults lock clean

BIN := .venv/bin
INSTALLED := .venv/installed
LOCKS := .requirements/build.txt .requirements/dev.txt
# The tool that makes the locks; it is not part of the locked environment.
UV := uv==0.13.9

# Two workers by default, one file each at a time; WORKERS=0 runs everything in one process.
WORKERS ?= 2
ARGS ?=
export PYTHON
# The tests start hundreds of Pythons: each would compile every file anew where the environment keeps no bytecode.
KEPT := PYTHONDONTWRITEBYTECODE=

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED) ## make .venv from the locks

# Only what changes the environment is named here: the package itself is installed as a link to these folders.
$(INSTALLED): $(LOCKS) pyproject.toml .requirements/install.sh
	@sh .requirements/install.sh
	@touch $@

# An interpreter asked for by name may be another than the one .venv was made with.
ifneq ($(PYTHON),)
.PHONY: $(INSTALLED)
endif

demo: $(INSTALLED) ## a dealer's year in a minute
	@$(BIN)/tierengine demo $(ARGS)

test: $(INSTALLED) ## every test, on SQLite and on PostgreSQL
	$(KEPT) $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(INSTALLED) ## style, format, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED) ## let ruff put right what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED) ## the numbers in the README, measured here
	@$(BIN)/python -m tests.bench $(ARGS)

proof: $(INSTALLED) ## a million random cases agree by engine, SQL and oracles (ARGS="--database postgresql")
	@nice -n 19 $(BIN)/python -m tests.proof $(ARGS)

histories: $(INSTALLED) ## random histories in random deliveries, both databases, against the model
	@nice -n 19 $(BIN)/python -m tests.proof.deliveries $(ARGS)

machine: $(INSTALLED) ## whatever may happen, at random, by domain, HTTP on SQLite and on PostgreSQL: equal, and as the oracle says
	@nice -n 19 $(BIN)/python -m tests.machine $(ARGS)

mutants: $(INSTALLED) ## plants faults one by one; a test must catch each
	@$(BIN)/python -m tests.mutants $(ARGS)

faults: $(INSTALLED) ## kills, cuts, fills and floods it while writes are acknowledged: none may be lost or doubled
	@$(BIN)/python -m tests.faults $(ARGS)

docs: $(INSTALLED) ## the pages and the layout of the tables, made from what they tell
	@$(BIN)/python -m tests.scenarios.language.pages
	@$(BIN)/python -m tests.scenarios.capabilities.cases
	@$(BIN)/python -m tests.problem_pages
	@$(BIN)/python -m tests.settings_page
	@$(BIN)/python -m tests.layout_module
	@git diff --stat -- docs tierengine/store/layout.py

lock: ## make the locks anew from pyproject.toml, with the newest versions it allows
	@rm -rf .cache/lock && mkdir -p .cache
	@$${PYTHON:-python3} -m venv .cache/lock && .cache/lock/bin/python -m pip install --quiet $(UV)
	@cd .requirements && set -e; \
	compile() { ../.cache/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --upgrade "$$@"; }; \
	compile build.in --unsafe-package none --output-file build.txt; \
	compile ../pyproject.toml --output-file run.txt; \
	compile ../pyproject.toml --extra otel --constraint run.txt --output-file otel.txt; \
	compile ../pyproject.toml --extra dev --constraint run.txt --output-file dev.txt
	@! grep -nE '://' .requirements/*.txt || { echo "A lock names a host; see above."; exit 1; }
	@git diff --stat -- .requirements

clean: ## remove .venv and every cache
	rm -rf .venv .cache build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find rules tierengine api tests -name __pycache__ -type d -prune -exec rm -rf {} +
