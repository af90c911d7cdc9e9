# Every target works on a fresh machine that has python3 (3.11 or newer), git and make, and nothing else.
# What is installed goes into .venv; what Sluice stores goes into .sluice (SLUICE_HOME).

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test faults up check bench pictures format lock schema requirements clean

BIN := .venv/bin
UV_VERSION := $(shell sed -n 's/^uv==\([^ ;]*\).*/\1/p' requirements.lock)
UV := $(BIN)/uv pip
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --group dev --all-extras

# The certificates that the machine trusts, as pip does: a company's proxy may sign with one of its own.
export UV_SYSTEM_CERTS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# A home that cannot be written to must not stop the install: uv's cache then lies in .venv.
ifneq ($(shell test -n "$$HOME" && test -w "$$HOME" && echo yes),yes)
export UV_CACHE_DIR ?= $(CURDIR)/.venv/.cache
export PIP_CACHE_DIR ?= $(CURDIR)/.venv/.cache/pip
endif

# How often each fault happens in `make faults`; `make test` has the same tests with small numbers.
LARGE_NUMBERS := SLUICE_KILLS=$${SLUICE_KILLS:-300} SLUICE_LANES=2 SLUICE_LOST=40 SLUICE_INTERRUPTS=20 \
    SLUICE_RESTARTS=20 SLUICE_MINUTES_AWAY=3

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)/  make \1 - \2/p' Makefile | awk -F ' - ' '{printf "%-20s %s\n", $$1, $$2}'

demo: .venv/.synced  ## import the sample leads into a database of their own and show what became of them
	@$(BIN)/python -m flows.demo

up: .venv/.synced  ## database, Prefect server, a watched bucket and all deployments, until Ctrl-C
	@$(BIN)/sluice up

test: .venv/.synced  ## all tests, on two workers
	@tests/parts.sh
	@$(BIN)/python -m pytest -n 2

faults: .venv/.synced  ## the tests of faults with their large numbers: an hour; docs/faults.md says what they do
	@SLUICE_REQUIRE_PARTS=1 tests/parts.sh
	@$(LARGE_NUMBERS) $(BIN)/python -m pytest -m "long or not long" -rP tests/faults tests/flows/test_lost_server.py

check: .venv/.synced  ## formatting, lint, types, layers, YAML and SQL
	@echo "ruff";         $(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@echo "basedpyright"; $(BIN)/basedpyright
	@echo "import-linter"; $(BIN)/lint-imports --no-cache > .venv/layers.txt 2>&1 || { cat .venv/layers.txt; exit 1; }
	@echo "yamllint";     $(BIN)/yamllint --strict .
	@echo "sqlfluff";     $(BIN)/sqlfluff lint --disable-progress-bar sql > .venv/sql.txt 2>&1 || { cat .venv/sql.txt; exit 1; }
	@echo "docs/requirements.md"; $(BIN)/python tests/requirements_page.py --check

bench: .venv/.synced  ## rows per second of an import on this machine
	@$(BIN)/python -m tests.bench.import_rate

pictures: .venv/.synced  ## take the pictures of the Prefect UI in docs/pictures anew (needs Chromium)
	@SLUICE_SCREENSHOTS=docs/pictures SLUICE_REQUIRE_PARTS=1 $(BIN)/python -m pytest -q tests/e2e/test_prefect_ui.py

format: .venv/.synced  ## let ruff and sqlfluff put code and SQL in form
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .
	@$(BIN)/sqlfluff fix --disable-progress-bar --quiet sql

requirements: .venv/.synced  ## write docs/requirements.md anew
	@$(BIN)/python tests/requirements_page.py

schema: .venv/.synced  ## write sql/schema.sql anew from the migrations
	@$(BIN)/python -m sluice.store.schema_file

lock: .venv/.synced  ## write requirements.lock anew from pyproject.toml
	@$(UV) compile $(LOCK) pyproject.toml --output-file requirements.lock --quiet

clean:  ## remove what was installed and cached; .sluice, which holds leads, stays
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.synced: requirements.lock pyproject.toml
	@python=; for name in python3 python3.13 python3.12 python3.11; do \
	    if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Sluice needs Python 3.11 or newer; there is none on the PATH. On Debian or Ubuntu: apt-get install python3"; exit 1; \
	fi; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    echo "Making .venv with $$($$python --version)"; \
	    if ! said=$$($$python -m venv --clear .venv 2>&1); then \
	        echo "$$said"; \
	        echo "$$python cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; \
	    fi; \
	fi; \
	if [ "$$($(BIN)/uv --version 2>/dev/null | cut -d' ' -f2)" != "$(UV_VERSION)" ]; then \
	    echo "Installing uv $(UV_VERSION) into .venv"; \
	    $(BIN)/python -m pip install --quiet uv==$(UV_VERSION) || exit 1; \
	fi
	@echo "Installing what requirements.lock names"
	@VIRTUAL_ENV=.venv $(UV) sync --quiet --compile-bytecode --require-hashes requirements.lock
	@VIRTUAL_ENV=.venv $(UV) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
