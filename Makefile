# make setup   create .venv with exactly the versions of constraints.txt
# make demo    run the demo study and open its report
# make test    run all checks that a change must pass
# make slow    run the tests that take minutes
# make docs    regenerate docs/cli.md, docs/tables.md and docs/api.md from the code

PYTHON ?= python3
BIN := .venv/bin
# Two test processes share two cores; more threads than cores would slow both down.
RUN := OMP_NUM_THREADS=1

DOCS := $(BIN)/python -m typer alignscope.cli utils docs --name alignscope --title "The command line"
TABLES := $(BIN)/python docs/make_tables.py
API := $(BIN)/python docs/make_api.py

.PHONY: setup demo check test slow docs

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: AlignScope needs Python 3.11 or newer. Choose one: make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,dev]'
	@touch $@

demo: setup
	$(BIN)/alignscope demo --open

check: setup
	$(BIN)/ruff check src tests benchmarks studies docs/*.py docs/*.ipynb
	$(BIN)/ruff format --check src tests benchmarks studies docs/*.py docs/*.ipynb
	$(RUN) $(BIN)/mypy
	$(BIN)/lint-imports --no-cache > .lint-imports.log 2>&1 || { cat .lint-imports.log; exit 1; }
	@rm -f .lint-imports.log
	@$(RUN) $(DOCS) | diff docs/cli.md - || { echo "docs/cli.md is out of date: make docs"; exit 1; }
	@$(RUN) $(TABLES) | diff docs/tables.md - || { echo "docs/tables.md is out of date: make docs"; exit 1; }
	@$(RUN) $(API) | diff docs/api.md - || { echo "docs/api.md is out of date: make docs"; exit 1; }

test: check
	$(RUN) $(BIN)/pytest -n 2

slow: setup
	$(RUN) $(BIN)/pytest -n 2 -m slow

docs: setup
	$(RUN) $(DOCS) > docs/cli.md
	$(RUN) $(TABLES) > docs/tables.md
	$(RUN) $(API) > docs/api.md
