# One command sets up, one tests, one lints. Everything lands in .venv and build/; a second make does only what changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
ARGS ?=
WHEEL_DIR ?= dist
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)

# CMake options for ggml and for us, for example CMAKE_ARGS="-DGGML_CUDA=ON".
# pip caches ggml's wheel whatever this says, so each value has a cache and a stamp of its own.
export CMAKE_ARGS ?=
ifneq ($(strip $(CMAKE_ARGS)),)
VARIANT := -$(shell printf '%s' '$(CMAKE_ARGS)' | cksum | cut -d' ' -f1)
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip$(VARIANT)
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Two makes in one tree take turns where flock is at hand.
LOCK := $(if $(shell command -v flock),flock build/.lock)
PIP := $(LOCK) $(BIN)/python -m pip install --quiet --prefer-binary
STAMPS := build/stamps

CPP_FILES = $(shell find cpp -name '*.cc' -o -name '*.h')

.PHONY: help setup setup-test setup-lint build run test lint format proto sanitize tsan fuzz mutants bench soak demo-model wheel clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMPS)/venv:
	@mkdir -p $(STAMPS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

# The requirements that pyproject.toml gives, one file a purpose: pip runs again only where its file changed.
build/requirements-%.txt: pyproject.toml .ci/requirements.py $(STAMPS)/venv
	@$(BIN)/python .ci/requirements.py $* > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(STAMPS)/build$(VARIANT): build/requirements-build.txt
	@rm -f $(STAMPS)/build*
	@echo "installing what the build needs (ggml is compiled: about a minute)"
	@$(PIP) $(if $(VARIANT),--force-reinstall) -r $<
	@touch $@

$(STAMPS)/runtime: build/requirements-runtime.txt
	@$(PIP) -r $<
	@touch $@

$(STAMPS)/test: build/requirements-test.txt
	@$(PIP) -r $<
	@touch $@

$(STAMPS)/lint: build/requirements-lint.txt
	@$(PIP) -r $<
	@touch $@

# Points .venv at python/ and writes the llm-router command.
$(STAMPS)/editable: pyproject.toml $(STAMPS)/build$(VARIANT) $(STAMPS)/runtime
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(STAMPS)/build$(VARIANT) $(STAMPS)/runtime $(STAMPS)/editable  ## Create .venv with what building and running need
setup-test: setup $(STAMPS)/test
setup-lint: $(STAMPS)/venv $(STAMPS)/lint

# $(1): a preset of CMakePresets.json; $(2): where the package lies.
define compile
	@$(LOCK) sh -ec '\
	test -f build/$(1)/CMakeCache.txt && test build/$(1)/CMakeCache.txt -nt CMakePresets.json \
	  && test build/$(1)/CMakeCache.txt -nt $(STAMPS)/build$(VARIANT) \
	  || cmake --preset $(1) -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python $$CMAKE_ARGS >build/$(1).log \
	  || { cat build/$(1).log; exit 1; }; \
	cmake --build build/$(1) --parallel $(JOBS) -- --no-print-directory --quiet; \
	cmake --install build/$(1) --component core --prefix $(2) >/dev/null'
endef

build: setup  ## Compile the extension into python/llm_runner_router
	$(call compile,dev,python)

run: build  ## Start the service, ask it something, print the answer: make run ARGS="your question"
	$(BIN)/llm-router demo $(if $(ARGS),"$(ARGS)")

test: setup-test lint build  ## Lint and run the whole suite, skips forbidden
	LLMR_CI=1 $(BIN)/python -m pytest $(ARGS)

lint: setup setup-lint  ## ruff, mypy, clang-format, buf, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(if $(CPP_FILES),$(BIN)/clang-format --dry-run -Werror $(CPP_FILES))
	$(if $(wildcard proto),cd proto && ../$(BIN)/buf lint)
	$(BIN)/lint-imports

format: setup-lint  ## Format Python and C++
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(if $(CPP_FILES),$(BIN)/clang-format -i $(CPP_FILES))

proto: setup-lint  ## Generate the stubs again
	$(BIN)/python proto/generate.py

sanitize: setup-test  ## The core tests under the address and undefined behaviour sanitizers
	$(call compile,asan,build/asan/stage)
	tests/tools/sanitized.sh asan $(if $(ARGS),$(ARGS),tests/core)

tsan: setup-test  ## The core tests under the thread sanitizer
	$(call compile,tsan,build/tsan/stage)
	tests/tools/sanitized.sh tsan $(if $(ARGS),$(ARGS),tests/core)

fuzz: setup-test  ## Mutated files against the parser, under the sanitizers
	tests/tools/fuzz.sh $(ARGS)

mutants: setup-test build  ## Planted defects: each must turn the suite red
	$(BIN)/python tests/tools/mutants.py $(ARGS)

bench: setup-test build  ## Named workloads, JSON out
	$(BIN)/python -m benchmarks $(ARGS)

soak: setup-test build  ## 20 000 requests over flaky providers: nothing lost, leaked or unpaid
	LLMR_SOAK_REQUESTS=20000 $(BIN)/python -m pytest tests/integration/test_soak.py $(ARGS)

demo-model: setup-test  ## Train the demo model again (at most 30 minutes)
	$(BIN)/python -m benchmarks.demo_model $(ARGS)

# Takes the objects of `build`, so that the same sources are not compiled twice.
wheel: build  ## Build the wheel into dist/
	@mkdir -p $(WHEEL_DIR)
	CMAKE_GENERATOR="Unix Makefiles" $(LOCK) $(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation \
	  --config-settings build-dir=build/dev --wheel-dir $(WHEEL_DIR) .

clean:  ## Remove what was built; .venv stays
	rm -rf build dist python/llm_runner_router/_core*.so python/llm_runner_router/lib
