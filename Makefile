# Two commands: `make demo` and `make test`. Needs Python 3.11 to 3.14 and make; the rest is installed below .venv.

ifndef PYTHON
PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1 && { echo "$$name"; break; }; done)
endif
PY := .venv/bin/python
RUNTIME := .venv/.installed-runtime
TOOLS := .venv/.installed-tools
export PYTHONUNBUFFERED := 1
export REFLEX_TELEMETRY_ENABLED := false
# A dozen processes import the same packages: without their bytecode each start would compile them a dozen times.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test lint model bench chaos soak stripe-check ctl requirements clean

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' Makefile | awk -F'|' '{ printf "  %-18s %s\n", $$1, $$2 }'

demo: $(RUNTIME) ## everything on this machine, with traders who trade; Ctrl-C ends it, a second start keeps the data
	@exec $(PY) -m workers.launch --demo --end-with-parent

test: $(TOOLS) lint ## the whole suite on two processes, browser journeys included (ARGS=… goes to pytest)
	@$(PY) -m tests.chromium
	@exec $(PY) -m pytest -n 2 --durations 20 $(ARGS)

lint: $(TOOLS) ## format, lint, types
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m basedpyright

model: $(TOOLS) ## the copy engine against a random venue: RUNS=100000, or CASE=spot/ratio/7 told in full
	@exec $(PY) -m tests.model --runs $(or $(RUNS),15000) --case "$(CASE)"

bench: $(TOOLS) ## the measurements (ONLY=fanout: a part); writes var/bench.json
	@exec $(PY) -m benchmarks $(ONLY)

soak: $(TOOLS) ## trade for MINUTES=30 and tell whether memory, connections or backlog grow
	@exec $(PY) -m benchmarks.soak $(or $(MINUTES),30)

chaos: $(TOOLS) ## trouble by lot on the real processes (SEEDS=30; SEED=17: that one; MINUTES=20: new ones for so long)
	@CHAOS_SEEDS=$(or $(SEEDS),30) CHAOS_SEED=$(SEED) CHAOS_MINUTES=$(MINUTES) $(PY) -m pytest -s -q tests/chaos/test_seeds.py $(ARGS)

stripe-check: $(TOOLS) ## the contract cases against Stripe's test mode (STRIPE_API_KEY=sk_test_…)
	@exec $(PY) -m tests.contract.stripe_check $(ARGS)

ctl: $(RUNTIME) ## look at and restart the running processes (ARGS="restart app:stream")
	@exec $(PY) -m workers.launching.ctl $(ARGS)

requirements: $(TOOLS) ## compile the pinned requirements anew
	@$(PY) -m uv pip compile -q --universal --python-version 3.11 requirements.in -o requirements.txt
	@$(PY) -m uv pip compile -q --universal --python-version 3.11 requirements-dev.in -c requirements.txt -o requirements-dev.txt

clean: ## delete what was made here: .venv, the built pages and the demo's data
	@if [ -x $(PY) ]; then $(PY) -m workers.launching.clean; else rm -rf var; fi
	@rm -rf .venv .web .states .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp tells that the very requirements were installed: the second start installs nothing.
$(RUNTIME): requirements.txt | environment
	@$(call install,requirements.txt)
	@$(command)
	@touch $@

$(TOOLS): requirements-dev.txt | environment
	@$(call install,requirements-dev.txt)
	@$(command)
	@touch $(RUNTIME) $@

define install
echo "Installing $(1)…"; \
$(PY) -m pip install -q --disable-pip-version-check -c requirements-dev.txt uv && $(PY) -m uv pip install -q --compile-bytecode --only-binary :all: -r $(1) 2>/dev/null \
|| $(PY) -m pip install -q --disable-pip-version-check --only-binary :all: -r $(1) \
|| { echo "The pinned packages of $(1) could not be installed on `uname -sm` with `$(PY) -V` (see above): no network, or no wheel for this machine."; exit 1; }
endef

# `.venv/bin/copytrade`, from whichever folder it is called.
define command
printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/$(PY)" -m copytrade "$$@"\n' "$(CURDIR)" "$(CURDIR)" > .venv/bin/copytrade && chmod +x .venv/bin/copytrade
endef

.PHONY: environment
environment:
	@[ -n "$(PYTHON)" ] || { echo "CopyTrade needs Python 3.11 to 3.14, and none was found; name one: make PYTHON=/path/to/python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
		|| { echo "CopyTrade needs Python 3.11 to 3.14, $(PYTHON) is `"$(PYTHON)" -V 2>&1`; name another: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PY) -c 'import pip' >/dev/null 2>&1 || { "$(PYTHON)" -c 'import venv, ensurepip' >/dev/null 2>&1 \
		|| { echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt install python3-venv"; exit 1; }; \
		rm -rf .venv; "$(PYTHON)" -m venv .venv; }
