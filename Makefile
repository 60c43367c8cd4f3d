# senet_repro: `make help` lists the targets.
PYTHON ?= python3
RESULTS ?= runs
TABLE ?= ablation=reduction_ratio
SEEDS ?= 0,1,2
CAMPAIGN ?= experiments/cifar10-ablations

UV_VERSION := 0.13.9
ENV := .venv
RUN := $(ENV)/bin/python -m senet_repro
export PATH := $(CURDIR)/.uv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup demo sweep table status clean-runs campaign campaign-status campaign-collect campaign-report report sizes notebook bench test test-fast test-faults test-statistics test-slow lint format wheel lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(ENV)/ready ## set up .venv from requirements.lock

demo: $(ENV)/ready ## train Table 10 on embedded digits (six rows, three seeds) and print it
	@$(RUN) -m +ablation=reduction_ratio seed=0,1,2 results_dir=$(RESULTS) > /dev/null
	@$(RUN) table --table 10 --results $(RESULTS)

sweep: $(ENV)/ready ## train a table: make sweep TABLE=experiment=cifar10 SEEDS=0,1,2
	@$(RUN) -m +$(TABLE) seed=$(SEEDS) results_dir=$(RESULTS)

table: $(ENV)/ready ## print every table that has records in RESULTS (runs)
	@$(RUN) table --results $(RESULTS)

status: $(ENV)/ready ## how far every planned run in RESULTS is
	@$(RUN) status --results $(RESULTS)

clean-runs: $(ENV)/ready ## remove failed and orphaned runs from RESULTS, after asking
	@$(RUN) prune --results $(RESULTS)

campaign: $(ENV)/ready ## plan the campaign of CAMPAIGN/campaign.yaml, then train what is missing of it; goes on when called again
	@$(RUN) campaign train "$(CAMPAIGN)"

campaign-status: $(ENV)/ready ## how far the campaign is, what failed, and how long it will take
	@$(RUN) campaign status "$(CAMPAIGN)"

campaign-collect: $(ENV)/ready ## copy what is finished of the campaign into CAMPAIGN, with its tables, ready to commit
	@$(RUN) campaign collect "$(CAMPAIGN)"

campaign-report: $(ENV)/ready ## write claims, verdicts, power, LaTeX, page and paper of what was collected into CAMPAIGN
	@$(RUN) campaign report "$(CAMPAIGN)" --document README.md

report: $(ENV)/ready ## one page in RESULTS/report: tables, figures, verdicts, how each number was made
	@$(RUN) report --results $(RESULTS)

sizes: $(ENV)/ready ## parameters and multiply-adds against the published figures
	@$(RUN) sizes

notebook: $(ENV)/ready ## execute docs/tour.ipynb and save it with its outputs; a minute or two
	@$(ENV)/bin/python -m tests.tour

bench: $(ENV)/ready ## measure every claim of speed beside its yardstick, into experiments/bench; needs a quiet machine
	@$(RUN) bench --output experiments/bench

# On a thread each, and three at a time on two cores, since many wait for a process, a lock or Slurm. Tests that measure
# time follow by themselves; only their files are named, since to collect all tests takes longer than to run these.
PYTEST := $(ENV)/bin/python -m pytest
SIDE_BY_SIDE := -n 3 --dist worksteal
ALONE = $(shell grep --recursive --files-with-matches --include='*.py' 'mark\.alone' tests)

test: export OMP_NUM_THREADS := 1
# Hundreds of commands start there, and none should compile the package anew.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(ENV)/ready ## run the gate's tests: all, and of the real faults one of each mechanism
	@$(PYTEST) $(SIDE_BY_SIDE) -m "(not faults or gate) and not alone and not statistics and not lengthy"
	@$(PYTEST) -m alone $(ALONE)

test-fast: export OMP_NUM_THREADS := 1
test-fast: $(ENV)/ready ## run the tests that need milliseconds each
	@$(PYTEST) $(SIDE_BY_SIDE) -m "not slow and not faults and not alone and not statistics and not lengthy"

test-faults: export OMP_NUM_THREADS := 1
test-faults: $(ENV)/ready ## run every fault: devices, clusters and disks that fail, kills at every kind of write
	@$(PYTEST) $(SIDE_BY_SIDE) -m faults

test-statistics: export OMP_NUM_THREADS := 1
test-statistics: $(ENV)/ready ## simulate the levels and powers of the verdicts; a few minutes
	@$(PYTEST) $(SIDE_BY_SIDE) -m statistics

test-slow: export OMP_NUM_THREADS := 1
test-slow: $(ENV)/ready ## train until something is learned, where seconds do not show it; about ten minutes
	@$(PYTEST) -n 0 -m lengthy

lint: $(ENV)/ready ## style, format and types
	@$(ENV)/bin/ruff check .
	@$(ENV)/bin/ruff format --check .
	@$(ENV)/bin/mypy

format: $(ENV)/ready ## rewrite the code in the house's format
	@$(ENV)/bin/ruff check --fix .
	@$(ENV)/bin/ruff format .

wheel: $(ENV)/ready ## build the package as dist/*.whl
	@$(ENV)/bin/python -m hatchling build -t wheel -d dist

lock: .uv/bin/uv ## resolve requirements.lock anew from pyproject.toml
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --extra coco --extra dev -o requirements.lock pyproject.toml

clean: ## remove .venv and caches; runs stay
	rm -rf $(ENV) .uv .mypy_cache .pytest_cache .ruff_cache

# Compiled ahead, the libraries import in half the time at the first command.
$(ENV)/ready: requirements.lock pyproject.toml | .uv/bin/uv
	@test -x $(ENV)/bin/python || uv venv --quiet --python $(PYTHON) $(ENV)
	@echo "setting up $(ENV) from requirements.lock" >&2
	@uv pip sync --quiet --compile-bytecode --python $(ENV)/bin/python requirements.lock
	@uv pip install --quiet --no-deps --no-build-isolation --python $(ENV)/bin/python --editable .
	@touch $@

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "senet_repro needs Python 3.11 or newer; give one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
