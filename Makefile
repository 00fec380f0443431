# Everything runs in a virtual environment that is made on first use. Set VENV to use another one.
VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet

# Tests of code that numba compiles if it is installed.
WALKS = backward_pass batch cells check_cell compilation downward forward_pass gated gemm linear_path net \
	parallel plan pooling recurrent recursive schedule walk walk_tables walkable

.PHONY: demo test lint docs without-numba examples clean

demo: $(VENV)/.demo
	$(BIN)/python examples/plot_01_quickstart.py

test: lint $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist worksteal
	$(MAKE) -j 2 without-numba docs

# The nets of trees, as if numba were not installed.
without-numba: $(STAMP)
	WITHOUT_NUMBA=1 $(BIN)/python -m pytest $(WALKS:%=tests/nn/test_%.py) tests/estimators/test_compiled.py

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The gallery runs every example, and myst-nb every notebook; warnings are errors. The pages must load
# nothing from other hosts, and their links must resolve.
docs: $(STAMP)
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html
	$(BIN)/python docs/check_site.py docs/_build/html
	@echo "The documentation is in docs/_build/html/index.html"

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt -e ".[all]"
	touch $(STAMP) $(VENV)/.demo

$(VENV)/.demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt -e ".[plot]"
	touch $(VENV)/.demo

clean:
	rm -rf docs/_build docs/gallery docs/generated .pytest_cache .mypy_cache .ruff_cache
