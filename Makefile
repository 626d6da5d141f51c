# SPDX-License-Identifier: MIT
# The commands of this project. All work is in scripts/; `make help` says what each does.

MAKEFLAGS += --no-print-directory
export VSVM_T0 := $(shell date +%s)

.DEFAULT_GOAL := help
.PHONY: help setup kernel igt userspace run examples test test-all bench bench-compare lint series
.PHONY: shell clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 15

run: ## [INPUT=FILE] the example: a histogram of FILE on the virtual GPU, straight from malloc() memory
	@scripts/run $(if $(INPUT),'$(INPUT)')

examples: ## all examples on the virtual GPU, each checked against the CPU; ends with "N passed, N failed"
	@scripts/examples

test: ## [FILTER=REGEX] [JOBS=N] the tests; ends with "N passed, N failed, N skipped"
	@scripts/test $(if $(FILTER),--filter '$(FILTER)') $(if $(JOBS),--jobs '$(JOBS)')

test-all: ## [FILTER=REGEX] [JOBS=N] the same with all IGT tests on both kernels, and long runs
	@scripts/test --all $(if $(FILTER),--filter '$(FILTER)') $(if $(JOBS),--jobs '$(JOBS)')

bench: ## huge folios against 4 KiB pages, by wall time and instructions: tables, build/bench.json, plots
	@scripts/bench

bench-compare: ## A=OLD.json B=NEW.json: what changed beyond noise between two results of make bench
	@scripts/bench-compare '$(A)' '$(B)'

kernel: ## builds the guest's kernel: 6.12, our patches and files, and the vsvm module
	@scripts/kernel base

igt: ## builds the IGT tests
	@scripts/igt

userspace: ## builds libvsvm and the examples
	@scripts/userspace

shell: ## an interactive shell in the guest, with the vsvm module at hand
	@scripts/shell

lint: ## checkpatch, sparse and W=1, clang-format, shellcheck, SPDX lines
	@scripts/lint

series: ## writes build/series, the patches and our files as mails for git am, and checks them
	@scripts/series

setup: ## installs the environment, build/root (everything else does so when it is needed)
	@scripts/setup

clean: ## removes build/, all that was generated or downloaded (not the compiler cache)
	@scripts/clean
