# Every recipe makes .venv first; nothing outside this folder is touched.
PYTHON ?= python3
BIN := .venv/bin

# what many processes start from is compiled once, also where the surroundings say otherwise
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check replay bench chaos screenshots clean
.DEFAULT_GOAL := test

.venv/.done: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev --editable '.[postgres,parquet,celery]'
	touch $@

demo: .venv/.done            ## the whole main job against the bundled replica
	$(BIN)/pqwatch demo

test: .venv/.done            ## every test; what needs a server that is not there is skipped with the reason
	$(BIN)/python -m pytest -n 3 --dist loadgroup

check: .venv/.done           ## lint, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

replay: .venv/.done          ## both stored months of the official API, day by day: kinds found and expected
	$(BIN)/python -m tests.replay

bench: .venv/.done           ## measured figures beside their targets
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m bench

chaos: .venv/.done           ## kill the sender a hundred times at each step
	$(BIN)/python -m pytest tests -m chaos --override-ini addopts= -q

screenshots: .venv/.done     ## the main pages at both widths
	$(BIN)/python -m tests.screenshots

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache pqwatch-demo
