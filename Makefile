# Everything here needs only Python (>= 3.10) and make; the environment is made in .venv on first use.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# EXTRAS=[all] installs every extra; the tests that need one skip without it.
EXTRAS ?=
PYTEST_ARGS ?=
# How often the crash test kills; it writes its page from 1000 on.
KILLS ?= 1000
COLLECTOR_MANIFEST := collector-config/builder.yaml
COLLECTOR_VERSION := $(shell sed -n 's/^  version: //p' $(COLLECTOR_MANIFEST))

.DEFAULT_GOAL := help
.PHONY: help demo test frameworks collector lint types format bench crash-test docs clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/core ## run five small agents, record them, and find their failures
	@$(BIN)/agenttrace demo --store sqlite:///agenttrace-demo.db
	@echo "Here, agenttrace is $(BIN)/agenttrace; . $(BIN)/activate puts it on your PATH."

test: $(VENV)/dev ## run the tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

frameworks: $(VENV)/dev ## run real agent frameworks against a model on loopback (Python >= 3.11; Node for one of them)
	$(BIN)/python -m pip install --quiet --editable '.$(EXTRAS)' --group dev --group frameworks
	npm install --silent --no-package-lock --no-audit --no-fund --prefix tests/frameworks/node
	$(BIN)/python -m pytest --no-skips tests/frameworks $(PYTEST_ARGS)

collector: .collector/otelcol ## build the OpenTelemetry Collector that tests/forwarding runs where it is there (Go >= 1.25)

lint: $(VENV)/dev ## ruff, formatting included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev ## mypy --strict over package, tests and benchmarks
	$(BIN)/mypy

format: $(VENV)/dev ## rewrite the sources in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/dev ## measure the figures of docs/performance.md
	$(BIN)/python benchmarks/run.py

crash-test: $(VENV)/dev ## kill agents KILLS times (1000) and prove that no span is lost, for docs/reliability.md
	$(BIN)/python -m tests.crash.run --kills $(KILLS)

docs: $(VENV)/dev ## write the generated pages
	$(BIN)/agenttrace contract docs

clean: ## remove what the targets above made
	rm -rf $(VENV) .collector .pytest_cache .mypy_cache .ruff_cache .hypothesis agenttrace-demo.db*

$(VENV)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "otel-agenttrace needs Python 3.10 or newer: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

$(VENV)/core: $(VENV)/pip pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/dev: $(VENV)/core
	$(BIN)/python -m pip install --quiet --editable '.$(EXTRAS)' --group dev
	@touch $@

.collector/otelcol: $(COLLECTOR_MANIFEST)
	@command -v go >/dev/null || { echo "building a Collector needs Go 1.25 or newer: https://go.dev/dl" >&2; exit 1; }
	go run go.opentelemetry.io/collector/cmd/builder@v$(COLLECTOR_VERSION) --config=$(COLLECTOR_MANIFEST)
