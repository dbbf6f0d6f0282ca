# Two commands are all: `make up` runs Switchhook, `make test` checks it. Both fetch what they need first.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PYTEST_ARGS ?=
BENCH_ARGS ?=
TRUST_ARGS ?=

.PHONY: help up test unit console page-tests features lint format bench trust venv tools asterisk constraints clean

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

up: venv console ## run everything: Asterisk, practice carrier, engine; Ctrl-C stops it
	@$(BIN)/pbx up

# Asterisk goes first, as building it leaves processors idle for a while; the others use them.
test: venv tools ## lint and all tests: unit, integration, live
	@$(MAKE) -j3 asterisk lint page-tests
	@deploy/test.sh $(BIN) $(PYTEST_ARGS)

unit: venv ## the fast tests only
	@$(BIN)/python -m pytest tests/unit $(PYTEST_ARGS)

console: venv ## build the page that reps work in, into pbx/web/static
	@deploy/prepare.sh console

features: venv ## each line of the contract: covered or open, and by which tests
	@$(BIN)/python -m pytest -p no:terminal --features

page-tests: console
	@cd console && PATH="$$(../deploy/prepare.sh node):$$PATH" && npm run --silent test -- --reporter=dot >../build/page-tests.log 2>&1 || { cat ../build/page-tests.log >&2; exit 1; }

lint: venv console ## style, format and types
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "Some files are not formatted: run “make format”." >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@cd console && PATH="$$(../deploy/prepare.sh node):$$PATH" && npm run --silent lint && { npm run --silent check -- --output machine >../build/console-check.log || { cat ../build/console-check.log >&2; exit 1; }; }

format: venv ## rewrite the files in the house's format
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .
	@cd console && PATH="$$(../deploy/prepare.sh node):$$PATH" && npx prettier --write --log-level warn src

bench: venv asterisk ## the measured figures, against bare Asterisk; ends in a table
	@$(BIN)/python -m bench $(BENCH_ARGS)

trust: venv tools asterisk ## the scoreboard: what must survive and who stays out, measured
	@$(BIN)/python -m bench.trust $(TRUST_ARGS)

asterisk: venv ## build the embedded Asterisk, once
	@$(BIN)/pbx asterisk build

venv: ## Python packages in .venv
	@deploy/prepare.sh venv

tools: ## what only the tests need: baresip, SIPp, PostgreSQL, Chromium, Kamailio
	@deploy/prepare.sh tools

constraints: venv ## choose new versions and write constraints.txt
	@deploy/constraints.sh

clean: ## remove what was built here; the database in var/ stays
	@rm -rf .venv build dist pbx/web/static console/node_modules *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
