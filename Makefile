# One command each; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Else every process that a study starts would compile torch and transformers again, 15 s of a core.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
PARAMS ?= params/streetworld.yaml
DATA ?= streetworld
STUDY = $(basename $(notdir $(PARAMS)))
BIN := .venv/bin
READY := .venv/ready

.PHONY: help book test lint format weights quality serve pdf lab bench gpu lock clean distclean env

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: $(READY)  ## run the default study and build the book (PARAMS=params/X.yaml for another)
	@$(BIN)/vlmis run $(PARAMS)

test: $(READY)  ## run all tests, or some: make test ARGS="tests/statistics -n 0"
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile $(ARGS)

lint: $(READY)  ## check style, and that imports only go down
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-logo

format: $(READY)  ## put the code into the project's format
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

weights: $(READY)  ## train the embedded models again (DATA=cityscapes DATA_ROOT=folder: photographs)
	@$(BIN)/python -m vlmis_utils.training.weights --data $(DATA) \
	    $(if $(DATA_ROOT),--root $(DATA_ROOT)) $(ARGS)

quality: $(READY)  ## measure the embedded models, and write their model cards (DATA, DATA_ROOT as above)
	@$(BIN)/python -m vlmis_utils.training.evaluation.evaluate --data $(DATA) \
	    $(if $(DATA_ROOT),--root $(DATA_ROOT)) $(ARGS)
	@$(if $(filter streetworld,$(DATA)),$(BIN)/python -m vlmis_utils.training.recipes.ablations \
	    && $(BIN)/python -m vlmis_utils.training.evaluation.label_agreement)

serve: $(READY)  ## show the book at http://127.0.0.1:8000
	@$(BIN)/python -m http.server -b 127.0.0.1 -d build/$(STUDY)/html 8000

pdf: $(READY)  ## print the book that is built to build/<study>/<study>.pdf, with bookmarks
	@$(BIN)/python -m vlmis_utils.report.pdf build/$(STUDY)

lab: $(READY)  ## open the pages in JupyterLab, where they run as they are (LAB="--no-browser ...")
	@$(BIN)/python -m vlmis_utils.report.lab $(LAB)

bench: $(READY)  ## run the benchmarks
	@for file in tests/benchmarks/bench_*.py; do echo "$$file"; $(BIN)/python $$file || exit 1; done

# Without .venv (a bare machine with torch) PYTHON runs it; KIT is a folder of tests/gpu/kit.py.
gpu:  ## check and measure what needs a GPU (KIT=folder on a machine without a network)
	@$$(test -x $(BIN)/python && echo $(BIN)/python || echo $(PYTHON)) tests/gpu/check.py $(if $(KIT),--kit $(KIT))

lock: $(READY)  ## pin the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --all-extras --python-version 3.11 pyproject.toml -o requirements.lock

env: $(READY)  ## make .venv with the locked dependencies

clean:  ## remove everything generated, except .venv and rendered scenes
	@find build -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} + 2>/dev/null || true

distclean: clean  ## remove .venv and rendered scenes too
	@rm -rf .venv build

# uv installs the lock several times faster than pip; it is itself in the lock.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "error: Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 2; }
	@echo "installing the locked dependencies into .venv" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q $$(grep -oE '^uv==[0-9.]+' requirements.lock)
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
