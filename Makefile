# Requires Python 3.11 or newer, make and git. To use another interpreter: make run PYTHON=python3.13
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 2
# `--dist worksteal` below: each process runs neighbouring tests, which share fixtures of their module.
# Keep bytecode files: tests start a hundred processes, each of which would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run demo test test-processes test-deep soak check format lint types docs lock audit clean

help:
	@echo "make run     harvest and train until Ctrl-C (on Spotify with credentials, else on the sandbox)"
	@echo "make demo    harvest, train and predict once on the sandbox, in about a minute"
	@echo "make test    tests on SQLite and PostgreSQL, and in Chromium if it is installed"
	@echo "make test-processes   tests that start, stop and kill whole commands"
	@echo "make test-deep   tests that need torch; installs it"
	@echo "make soak    tests that are too slow for every run: hundreds of kills, hostile servers"
	@echo "make check   formatting, lint, types, imports, generated docs, as in CI"
	@echo "make lock    pin the newest versions of all dependencies in constraints.txt"
	@echo "make audit   compare the pinned versions with the published advisories"
	@echo "make format | lint | types | docs | clean"

run: .venv/installed
	$(BIN)/genrebase run

demo: .venv/installed
	$(BIN)/genrebase demo

test: .venv/installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

test-processes: .venv/installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "processes and not soak" --numprocesses 2 --dist worksteal

test-deep: .venv/installed-deep
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m deep --numprocesses 2 --dist worksteal

soak: .venv/installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m soak

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_docs.py --check

format: .venv/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: .venv/installed-dev
	$(BIN)/mypy

docs: .venv/installed-dev
	$(BIN)/python scripts/generate_docs.py

lock: .venv/installed-dev
	$(BIN)/python -m pip install --disable-pip-version-check --quiet uv
	sed -n '/^#/p' constraints.txt > constraints.new
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --extra dev \
		--no-emit-index-url --no-annotate --no-header --quiet --upgrade >> constraints.new
	mv constraints.new constraints.txt

audit: .venv/installed-dev
	$(BIN)/python -m pip install --disable-pip-version-check --quiet pip-audit
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing Genrebase and its libraries into .venv: this takes a minute or two."
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/installed-test: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable ".[test]"
	@touch $@ .venv/installed

.venv/installed-deep: pyproject.toml constraints.txt constraints-deep.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --constraint constraints-deep.txt --editable ".[test,deep]"
	@touch $@ .venv/installed .venv/installed-test

.venv/installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $@ .venv/installed .venv/installed-test
