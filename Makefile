.DEFAULT_GOAL := help
.PHONY: help dev test test-all check format bench setup tools clean

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
STAMP := $(VENV)/.installed

help: ## list these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

dev: $(VENV)/.runnable ## set up what is missing and start a server for development
	@$(RUN)/doorcode dev

test: tools check ## set up what is missing and pass all tests
	@$(RUN)/python -m pytest -m "not slow"

test-all: test ## the slow suites too: every SDK, and more examples for the property tests
	@$(RUN)/python -m pytest -m slow
	@HYPOTHESIS_PROFILE=thorough $(RUN)/python -m pytest tests/domain tests/storage tests/security tests/web tests/fuzz

check: $(STAMP) ## format, lint, types, import rules
	@$(RUN)/ruff format --check -q src tests examples bench
	@$(RUN)/ruff check -q src tests examples bench
	@$(RUN)/mypy
	@$(RUN)/lint-imports --no-logo > $(VENV)/lint-imports.log 2>&1 || (cat $(VENV)/lint-imports.log; exit 1)
	@rm -f $(VENV)/lint-imports.log

format: $(STAMP) ## format the sources
	@$(RUN)/ruff format -q src tests examples bench
	@$(RUN)/ruff check -q --fix src tests examples bench

bench: $(STAMP) ## measure: sign-ins and token refreshes per second, start-up, memory
	@$(RUN)/python -m bench

setup: $(STAMP) ## make the Python environment

tools: $(STAMP) ## what the browser tests need beside Python
	@sh scripts/install-tools

clean: ## remove what was built
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis examples/*/.next examples/*/dist examples/*/.nuxt examples/*/.output

$(VENV)/.runnable: pyproject.toml
	@echo "Setting up $(VENV) ..."
	@$(RUN)/python -m pip --version > /dev/null 2>&1 || sh scripts/make-venv $(PYTHON) $(VENV)
	@$(RUN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(STAMP): pyproject.toml
	@echo "Setting up $(VENV) ..."
	@$(RUN)/python -m pip --version > /dev/null 2>&1 || sh scripts/make-venv $(PYTHON) $(VENV)
	@$(RUN)/python -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(RUN)/python -m pip install -q --disable-pip-version-check -e . --group dev
	@touch $(VENV)/.runnable $@
