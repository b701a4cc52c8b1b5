# Every target that a person or CI needs. `make help` lists them.

PYTHON ?= python3
PORT ?= 3000
DATA ?= codepark-data
WORKERS ?= auto
VENV := .venv
# Every server that a test starts would compile the whole project again.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run cluster cluster-stop test proof check format bench docs golden lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/.run ## Serve on http://127.0.0.1:3000 (PORT=…) with this repository as a first project
	$(BIN)/codepark serve --port $(PORT) --data $(DATA) --demo

cluster: $(VENV)/.dev ## Start Kafka, MongoDB's protocol and Valkey on loopback, and print their addresses
	@$(BIN)/python -m devservers start

cluster-stop: $(VENV)/.dev ## Stop these servers; their data stays
	@$(BIN)/python -m devservers stop

test: $(VENV)/.dev ## Run every test that this machine can run
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

proof: $(VENV)/.dev ## Run the long form of chaos, simulation, laws and generated requests; print a line of figures for each
	CODEPARK_PROOF=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m proof

check: $(VENV)/.dev ## Lint, type checks, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.bench ## Measure CodePark and its peers in one run (writes bench-result.json)
	$(BIN)/python -m bench --out bench-result.json

docs: $(VENV)/.dev ## Write the generated parts of the reference again
	$(BIN)/python docs/generate.py

golden: $(VENV)/.dev ## Write the golden file of each version of an event that has none
	$(BIN)/python -m tests.golden_files
	$(BIN)/python -m tests.unit.projections.golden_documents

lock: $(VENV)/.dev ## Pin the newest versions that pyproject.toml allows
	$(PIP) install uv
	for set in run:"--extra graphql" cluster:"--extra cluster --extra graphql --extra telemetry" dev:"--extra all --group dev" bench:"--extra all --group dev --group bench"; do \
	  $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate \
	    --python-version 3.11 pyproject.toml requirements/build.in $${set#*:} --output-file requirements/$${set%%:*}.lock; \
	done

clean: ## Remove the environment and the caches; data stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.%: $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements/$*.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.run: requirements/run.lock pyproject.toml
$(VENV)/.dev: requirements/dev.lock pyproject.toml
$(VENV)/.bench: requirements/bench.lock pyproject.toml
