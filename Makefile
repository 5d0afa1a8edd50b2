# Everything here sets up what it needs, once. LIBTORCH=/path/to/torch uses an installed torch.

PYTHON ?= python3
CONFIGURATION := release
BINARY := .build/$(CONFIGURATION)/duallora
# One build serves the command and the tests: tests see internals in a release build too.
BUILD := -c $(CONFIGURATION) -Xswiftc -enable-testing

export PKG_CONFIG_PATH := $(CURDIR)/.libtorch:$(PKG_CONFIG_PATH)
# Rounds of `make bench`, and more options of its script.
ROUNDS ?= 3
BENCH ?=
# Threads that soon sleep when they wait: the machine may have other work.
export GOMP_SPINCOUNT := 1000
export DUALLORA := $(CURDIR)/$(BINARY)
# CPU=avx2 limits all that computes, here and in the tests' own torch, to what such a machine has:
# LibTorch with this package's kernels, oneDNN and MKL.
ifeq ($(CPU),avx2)
export ATEN_CPU_CAPABILITY := avx2
export ONEDNN_MAX_CPU_ISA := AVX2
export MKL_ENABLE_INSTRUCTIONS := AVX2
else ifeq ($(origin CPU),command line)
$(error CPU=$(CPU) is not known; CPU=avx2 is)
endif

.PHONY: build demo bench test test-swift test-client test-parity lint setup clean

build: setup
	swift build $(BUILD) --product duallora

setup:
	@$(PYTHON) scripts/setup.py libtorch

demo: build
	$(BINARY) demo --output demo --overwrite

bench: build
	@$(PYTHON) scripts/setup.py oracles
	$(PYTHON) Benchmarks/training_step.py --rounds $(ROUNDS) $(BENCH)

test: test-swift test-client test-parity

test-swift: setup
	swift build $(BUILD) --build-tests
	swift test $(BUILD) --skip-build

# A package beside this one, which sees what is public alone; what is built here serves it too.
test-client: test-swift
	swift run $(BUILD) --package-path Tests/Client --scratch-path .build Client

test-parity: build
	swift build $(BUILD) --product SecondDevice
	@$(PYTHON) scripts/setup.py oracles
	PYTHONPATH=$(CURDIR)/.oracles $(PYTHON) -m pytest -q -p no:cacheprovider Tests/Parity

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

clean:
	rm -rf .build
