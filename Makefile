# `make` alone lists the targets. All of it is swift and a few scripts; nothing here is needed to
# work on the package, only convenient.
.DEFAULT_GOAL := help
.PHONY: help demo test build bench bench-memory bench-micro bench-instructions format lint clean

# How many documents the demo backs up and restores: make demo DOCUMENTS=50000
DOCUMENTS ?= 200000

# What the benchmark is to do: make bench BENCH="--quick --rows restore"
BENCH ?=

SWIFT_FILES := Package.swift Sources Tests $(wildcard Benchmarks)
# Of the archive reader, which shows that the format needs nothing of ours, and of the benchmark.
PYTHON_TESTS := $(wildcard formats/*_test.py Benchmarks/*_test.py)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Back up, verify, damage and restore a real database (DOCUMENTS=200000)
	@Scripts/setup
	swift build -c release --product cairn
	swift build -c release --product cairn-demo
	@DOCUMENTS=$(DOCUMENTS) .build/release/cairn-demo

test: ## Build and run all tests
	@Scripts/setup
	swift build --build-tests
	swift test --skip-build
	@set -e; for file in $(PYTHON_TESTS); do echo "python3 $$file"; python3 $$file; done

build: ## Build the command line: .build/release/cairn
	@Scripts/setup
	swift build -c release --product cairn

bench: ## Compare with limits and peers, write Benchmarks/results (BENCH="--quick")
	@Scripts/setup plots
	swift build -c release --product cairn
	swift build -c release --product cairn-demo
	Benchmarks/bench $(BENCH)

bench-memory: ## Measure the peak memory of backup, verify and restore (2 GB on disk)
	@Scripts/setup
	swift build -c release --product cairn
	swift build -c release --product cairn-demo
	Benchmarks/memory

bench-micro: ## Time the hot functions: codecs, checksums, documents, chunks, index
	@Scripts/setup
	swift package --package-path Benchmarks/Micro -c release benchmark --grouping metric \
	    --no-progress

bench-instructions: ## Count the hot functions' instructions and compare with the thresholds
	@Scripts/setup valgrind
	swift build -c release --product cairn-kernels
	Benchmarks/instructions --check

format: ## Format the Swift code in place
	swift format format --in-place --parallel --recursive $(SWIFT_FILES)

lint: ## Report what is not formatted as it should be
	swift format lint --strict --parallel --recursive $(SWIFT_FILES)

clean: ## Remove what was built, but not the mongod in .tools
	rm -rf .build Benchmarks/Micro/.build
