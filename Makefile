# `make` alone lists the targets. All of it is swift and a few scripts; nothing here is needed to
# work on the package, only convenient.
.DEFAULT_GOAL := help
.PHONY: help demo serve test build build-server install bench bench-http bench-memory \
    bench-micro bench-instructions format lint clean

# How many documents the demo backs up and restores: make demo DOCUMENTS=50000
DOCUMENTS ?= 200000

# What the benchmark is to do: make bench BENCH="--quick --rows restore"
BENCH ?=

SWIFT_FILES := Package.swift Sources Development Tests $(wildcard Benchmarks)
# Of the archive reader, which shows that the format needs nothing of ours, of the benchmark, and
# of the service as a process: killed, and asked all that its description promises.
PYTHON_TESTS := $(wildcard formats/*_test.py Benchmarks/*_test.py Tests/*/*_test.py)

# Tests wait for servers, so that several run at once; but all of them at once, as is done unless
# one says otherwise, would wait for each other beyond any time limit. Older versions can't say it.
TEST_WIDTH = $(if $(shell swift test --help-hidden 2>/dev/null | \
    grep -e '--experimental-maximum-parallelization-width'), \
    --experimental-maximum-parallelization-width 8)

# Where `make serve` listens.
PORT ?= 8001

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Back up, verify, damage and restore a real database (DOCUMENTS=200000)
	@Scripts/setup
	swift build -c release --product cairn
	swift build -c release --product cairn-demo
	@DOCUMENTS=$(DOCUMENTS) .build/release/cairn-demo

serve: ## Run the service on a database of its own with demo data, print what to try (PORT=8001)
	@Scripts/setup
	swift build --product cairn-server
	swift build --product cairn-demo
	@Scripts/serve --port $(PORT)

test: ## Build and run all tests
	@Scripts/setup schemathesis curl openssl
	swift build --build-tests
	swift test --skip-build $(TEST_WIDTH)
	@set -e; for file in $(PYTHON_TESTS); do echo "python3 $$file"; python3 $$file; done

build: ## Build the command line: .build/release/cairn
	@Scripts/setup
	swift build -c release --product cairn

build-server: ## Build the service: .build/release/cairn-server
	@Scripts/setup
	swift build -c release --product cairn-server

# Where `make install` puts programs, completions and man pages; DESTDIR goes in front of it.
PREFIX ?= /usr/local

install: ## Install what was built, stripped, with completions and man pages (PREFIX=/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	    $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	@for program in cairn cairn-server; do \
	    test -x .build/release/$$program || continue; \
	    echo "install $$program"; \
	    install -s -m 755 .build/release/$$program $(DESTDIR)$(PREFIX)/bin/; done
	.build/release/cairn --generate-completion-script bash \
	    > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/cairn
	.build/release/cairn --generate-completion-script zsh \
	    > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_cairn
	.build/release/cairn --generate-completion-script fish \
	    > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/cairn.fish
	@if command -v python3 >/dev/null; then echo "install man pages"; \
	    Scripts/command_pages --man $(DESTDIR)$(PREFIX)/share/man/man1 \
	        $(wildcard .build/release/cairn .build/release/cairn-server); \
	else echo "no python3, so no man pages"; fi

bench: ## Compare with limits and peers, write Benchmarks/results (BENCH="--quick")
	@Scripts/setup plots
	swift build -c release --product cairn
	swift build -c release --product cairn-demo
	Benchmarks/bench $(BENCH)

bench-http: ## Measure the HTTP service under load, and what that costs a backup
	@Scripts/setup wrk
	swift build -c release --product cairn-server
	swift build -c release --product cairn-demo
	Benchmarks/http

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
