# A fresh machine needs Python 3.11 or newer with its `venv` module, and make:
#   make demo     install into .venv, then run the demo study
#   make test     install into .venv, then run the tests
#   make test-cluster   install into .venv, then run the tests on a real Slurm; PYTEST="-m slow" for the long ones
#   make test-storage   install into .venv, then run the tests on object storage, with a server on this machine
#   make bench    measure the speed of training against the library's trainer; BENCH=--quick ends in 90 seconds
#   make bench-raters  measure raters of pairs against the trainers of sentence-transformers; minutes
#   make validate run the analysis on simulated studies whose truth is known; minutes
#   make lint     check the format and the style of all code
#   make clean    remove the demo study and caches; other studies and .venv stay

PYTHON ?= python3
CORES ?= all
# More arguments for pytest, such as PYTEST="tests/unit -x".
PYTEST ?=
BENCH ?=
# More arguments for the validation, such as VALIDATE="--only level --dry".
VALIDATE ?=

BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test test-cluster test-storage bench bench-raters validate lint clean install

demo: $(INSTALLED)
	$(BIN)/snakemake --configfile config/demo.yaml --cores $(CORES)

test: $(INSTALLED)
	$(BIN)/pytest --ignore=tests/cluster --ignore=tests/storage -n logical --maxprocesses=4 --dist loadfile --no-loadscope-reorder $(PYTEST)

# Needs the packages of Slurm (the tests say which), and starts a cluster of its own on the loopback.
test-cluster: $(INSTALLED)
	$(BIN)/pytest tests/cluster $(PYTEST)

# Only these tests and users of profiles/s3 need the packages of object storage.
test-storage: $(INSTALLED)
	$(PIP) install --quiet --no-deps -r tests/storage/requirements.txt
	$(BIN)/pytest tests/storage $(PYTEST)

# The library's trainer, and nothing else here, needs accelerate.
bench: $(INSTALLED)
	$(PIP) install --quiet --no-deps accelerate==1.15.0
	$(BIN)/python benchmarks/training.py $(BENCH)

bench-raters: $(INSTALLED)
	$(BIN)/python benchmarks/raters.py $(BENCH)

validate: $(INSTALLED)
	$(BIN)/python benchmarks/validation.py $(VALIDATE)

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/ruff check .
	$(BIN)/snakemake --lint --configfile config/demo.yaml

clean:
	rm -rf results/demo logs/demo .pytest_cache .ruff_cache .hypothesis build
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

install: $(INSTALLED)

# Modules are compiled once, here, on all cores: some machines forbid it later (PYTHONDONTWRITEBYTECODE), and every job
# would then compile torch anew. Files that can't be compiled are templates.
# The library itself is installed after its pins, in place, and without asking for other versions.
$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not. Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "'$(PYTHON)' can't make virtual environments. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) install --no-compile -r requirements.txt
	$(PIP) install --no-compile --no-deps -e .
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests/' .venv/lib workflow/scripts || true
	@touch $@
