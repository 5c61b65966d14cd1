# `make demo` and `make test` each set up what they need; either works first.
# Every path is relative to this file, so a checkout below a folder with spaces works.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The first Python of at least 3.10; `make test PYTHON=python3.12` takes another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.10; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
PY := $(VENV)/bin/python
INSTALL := $(PY) -m pip install -qq --disable-pip-version-check -c constraints.txt
NATIVE := CMakeLists.txt pyproject.toml $(shell find csrc -type f 2>/dev/null)
CPU_WHEELS := https://download.pytorch.org/whl/cpu

JOBS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((n < 4 ? n : 4)))
PYTEST ?= $(PY) -m pytest -n $(JOBS) --dist worksteal
PYTEST_ARGS ?= -q
DEMO_ARGS ?=
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= $(shell date +%s)
FUZZ = build/$(if $(findstring clang,$(CXX)),fuzz-clang,sanitize)
SANITIZE := -DGEOINFLUENCER_SANITIZE=ON -DGEOINFLUENCER_FUZZ=ON
ISA = $(PY) -c 'import torch; from geoinfluencer.ops import native; \
	library = native.cpu(torch.zeros(1, 1)); print(library.geo_isa().decode() if library else "none")'
# What other builds of csrc/ can change; validation, registration and CUDA they cannot.
KERNEL_TESTS = $(filter-out %/test_validation.py %/test_registration.py %/test_cuda.py \
	%/test_memory.py,$(wildcard tests/ops/test_*.py))
BENCH_ARGS ?=
# Benchmarks leave waiting to the OpenMP runtime, as a user's process does.
OWN_POLICY = $(if $(findstring environment,$(origin OMP_WAIT_POLICY)),,env -u OMP_WAIT_POLICY)

# Threads that wait do not spin: on cores shared with other work spinning made training 8 times slower.
export OMP_WAIT_POLICY ?= PASSIVE

# An environment knows where it was made: a checkout that was copied or moved starts a new one.
$(shell [ -f $(VENV)/.made-in ] && [ "$$(cat $(VENV)/.made-in)" != "$$(pwd -P)" ] && rm -rf $(VENV))

.SECONDARY:
.PHONY: help demo test test-native test-torch test-isas test-serial test-sanitize test-cpp fuzz \
	test-pyg-ops test-wheel lint format types docs bench cuda-check clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

demo: $(VENV)/.stamp-package ## train and evaluate on the embedded toy tracks, with a report
	$(PY) -m geoinfluencer train --dataset toy-tracks --preset quick --out runs/demo $(DEMO_ARGS)
	$(PY) -m geoinfluencer eval --checkpoint runs/demo/checkpoints/best.ckpt --dataset toy-tracks \
		--split test --out runs/demo/test
	@echo "unseen events: runs/demo/test/report.html"; echo "report: runs/demo/report.html"

test: test-native test-torch ## every test, then ops, losses and condensation without the library

test-native: $(VENV)/.stamp-test ## every test
	$(PYTEST) $(PYTEST_ARGS)

test-torch: $(VENV)/.stamp-test ## ops, losses and condensation on the pure-torch twins
	GEOINFLUENCER_DISABLE_NATIVE=1 $(PYTEST) $(PYTEST_ARGS) tests/ops tests/losses tests/condensation

test-isas: $(VENV)/.stamp-test ## the ops on every instruction set this processor has
	@best=$$($(ISA)); for isa in baseline avx2; do \
		if [ "$$(GEOINFLUENCER_ISA=$$isa $(ISA))" != $$isa ]; then echo "$$isa: not here"; continue; fi; \
		if [ $$isa = "$$best" ]; then echo "$$isa: what \`make test\` runs"; continue; fi; \
		echo "$$isa:"; GEOINFLUENCER_ISA=$$isa $(PYTEST) $(PYTEST_ARGS) $(KERNEL_TESTS); done

test-serial: $(VENV)/.stamp-test ## the ops on kernels compiled without OpenMP
	PY=$(PY) JOBS=$(JOBS) CXX=$(CXX) .ci/variant serial -DCMAKE_DISABLE_FIND_PACKAGE_OpenMP=ON -- \
		$(PYTEST) $(PYTEST_ARGS) $(KERNEL_TESTS)

test-sanitize: $(VENV)/.stamp-test ## ops, losses and condensation under ASan and UBSan (GCC)
	PY=$(PY) JOBS=$(JOBS) CXX=$(CXX) .ci/variant sanitize $(SANITIZE) -- \
		$(PYTEST) $(PYTEST_ARGS) tests/ops tests/losses tests/condensation

fuzz: ## random inputs for the C ABI under ASan and UBSan, FUZZ_SECONDS=60 long
	@for tool in cmake $(CXX); do command -v $$tool >/dev/null || { \
		echo "fuzz: skipped, no $$tool on PATH"; exit 0; }; done; \
	cmake -S . -B $(FUZZ) -DCMAKE_CXX_COMPILER=$(CXX) -DGEOINFLUENCER_CUDA=OFF $(SANITIZE) >/dev/null; \
	cmake --build $(FUZZ) -j $(JOBS) --target geoinfluencer_fuzz; \
	for isa in avx512 avx2 baseline; do echo "fuzz: at most $$isa"; GEOINFLUENCER_ISA=$$isa \
		$(FUZZ)/csrc/fuzz/geoinfluencer_fuzz -max_total_time=$$(( ($(FUZZ_SECONDS) + 2) / 3 )) \
		-seed=$(FUZZ_SEED); done

test-cpp: $(VENV)/.stamp-test ## the C++ package and its example
	$(PY) -m pytest $(PYTEST_ARGS) tests/test_cpp_example.py

test-pyg-ops: $(VENV)/.stamp-pyg-ops ## the ops beside torch-scatter and torch-cluster
	$(VENV)-pyg-ops/bin/python -c "import torch_cluster, torch_scatter"
	$(VENV)-pyg-ops/bin/python -m pytest $(PYTEST_ARGS) tests/test_pyg_ops.py tests/ops

test-wheel: $(VENV)/.stamp-test ## wheels with and without a compiler, used from another folder
	$(PY) .ci/check_wheels.py

lint: $(VENV)/.stamp-test $(VENV)/.stamp-dev ## ruff, rules and format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(VENV)/.stamp-dev ## let ruff rewrite what it can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: $(VENV)/.stamp-test $(VENV)/.stamp-dev ## mypy over the package
	$(PY) -m mypy

docs: $(VENV)/.stamp-docs ## the reference of the Python interface as HTML, in build/docs
	$(PY) -m pdoc --docformat google --math -o build/docs geoinfluencer

# In the environment of test-pyg-ops where it was made: torch-cluster compiles for minutes.
bench: $(VENV)/.stamp-bench ## the ops beside their peers: the kernel table of docs/benchmarks.md
	@if [ -f $(VENV)/.stamp-pyg-ops ]; then py=$(VENV)-pyg-ops/bin/python; else py=$(PY); \
	echo "for torch-cluster and torch-scatter: make $(VENV)/.stamp-pyg-ops"; fi; \
	$(OWN_POLICY) $$py -m geoinfluencer bench --preset table --out runs/bench $(BENCH_ARGS)

cuda-check: ## compile the CUDA sources for sm_80 and sm_90 where nvcc is; needs no GPU
	@if ! command -v nvcc >/dev/null; then echo "cuda-check: skipped, no nvcc on PATH"; exit 0; fi; \
	cmake -S . -B build/cuda && cmake --build build/cuda -j $(JOBS) --target geoinfluencer_cuda && \
	echo "cuda-check: compiled"

clean: ## remove the environments and the builds, keep runs/
	rm -rf $(VENV) $(VENV)-pyg-ops build

# ------------------------------------------------------------------------------------ set-up
# torch comes first and alone: the wheel that fits the machine, CUDA where a GPU answers. (Should
# the index of CPU wheels be out of reach, pip takes the wheel of the default index.)
$(VENV)/.stamp-torch: constraints.txt
	@[ -n "$(PYTHON)" ] || { echo "no Python >= 3.10 found; name one: make PYTHON=/path/to/python" >&2; exit 2; }
	@echo "setting up $(VENV) with $(PYTHON); torch comes first"
	@"$(PYTHON)" -m venv $(VENV) || { echo "cannot make $(VENV): is the venv module installed (Debian: apt install python3-venv)?" >&2; exit 2; }
	@pwd -P > $(VENV)/.made-in
	@cpu=(); if [ "$$(uname -s)" = Linux ] && ! nvidia-smi -L >/dev/null 2>&1; then \
		cpu=(--retries 1 --extra-index-url $(CPU_WHEELS)); fi; \
	$(INSTALL) --no-deps "$${cpu[@]}" torch
	@touch $@

$(VENV)/.stamp-package: $(VENV)/.stamp-torch $(NATIVE)
	@echo "installing the package and building csrc/"
	@$(INSTALL) -e .
	@touch $@

# The extras of pyproject.toml, without building the package again.
$(VENV)/.stamp-%: $(VENV)/.stamp-package
	@$(PY) -c 'from importlib.metadata import requires; \
		print(*(r.split(";")[0] for r in requires("geoinfluencer") if "extra" in r and "$*" in r.split("extra")[1]), sep="\n")' \
		> $(VENV)/extra-$*.txt
	@echo "installing the extra [$*]"
	@$(INSTALL) -r $(VENV)/extra-$*.txt
	@touch $@

# An environment on top of the first one, so that the two packages are nowhere else.
$(VENV)/.stamp-pyg-ops: $(VENV)/.stamp-test
	rm -rf $(VENV)-pyg-ops
	$(PY) -m venv $(VENV)-pyg-ops
	site=$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	own=$$($(VENV)-pyg-ops/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	printf 'import site; site.addsitedir(%s)\n' "'$$site'" > "$$own/base.pth"
	$(VENV)-pyg-ops/bin/python -m pip install --quiet setuptools wheel
	$(VENV)-pyg-ops/bin/python -m pip install -c constraints.txt --no-build-isolation --no-deps \
		torch-scatter torch-cluster
	@touch $@
