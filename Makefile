# make repro and make test work on a fresh machine with Python 3.11+, git and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: repro setup test faults fuzz lint bench

repro: setup
	$(BIN)/scistage repro

test: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Hours: what is done is kept, the same command goes on.
faults: setup
	$(BIN)/python -m tests.faults.matrix
	$(BIN)/python -m tests.faults.many_kills --kills 20

# Thousands of drawn inputs to every reader; the tests draw a sample of the same.
FUZZ ?= 1500
fuzz: setup
	FUZZ_EXAMPLES=$(FUZZ) $(BIN)/python -m pytest tests/faults/test_fuzz*.py

# Side by side with the peers, which are installed for this alone and without what they depend on.
bench: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps -r benchmarks/requirements.txt
	$(BIN)/python benchmarks/segmentation.py

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: .venv/installed

# The pins decide what is installed, so a change of them installs anew.
.venv/installed: constraints.txt constraints-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  -c constraints.txt -c constraints-dev.txt -e '.[dev]'
	touch $@
