# The doors of this repository. `make demo` shows the whole product, `make dev` runs a folder of manifests.
# All of it is built as one workspace: `cargo build -p ONE` would choose other features, and compile much anew.
EXAMPLE ?= quickstart
FOLDER  ?= examples/$(EXAMPLE)
target  := $(or $(CARGO_TARGET_DIR),target)
bin     := $(target)/debug
cache   := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/wigwag
deny    := $(cache)/cargo-deny-0.20.2/bin/cargo-deny
sandbox := $(bin)/wigwag-sandbox

.PHONY: demo dev test lint audit crds bench build fetch help
.DEFAULT_GOAL := help

help:
	@echo 'make demo [ONCE=1]   all of Wigwag on a Kubernetes of its own, and a conversation (Linux)'
	@echo 'make dev [FOLDER=F]  the manifests of a folder without Kubernetes, and a prompt to write as a customer;'
	@echo '                     EXAMPLE=order-status, appointment or editor for one of examples/'
	@echo 'make test            every test'
	@echo 'make lint            formatting, clippy, licences and bans, generated files'
	@echo 'make audit           known vulnerabilities of the dependencies (needs github.com)'
	@echo 'make crds            generates crds/*.yaml, the chart'\''s copies, and the tables of docs/flows.md, from the types'
	@echo 'make bench           the first figures'
	@echo 'make fetch           gets what demo and tests need beforehand: PostgreSQL, Kubernetes, helm'

build:
	@cargo build --workspace --bins

fetch: build
	@$(sandbox) fetch

demo: build
	@$(sandbox) demo $(if $(ONCE),--once)

dev: build
	@$(sandbox) dev $(FOLDER)

test: build
	cargo test --workspace

lint: build $(deny)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	$(deny) --workspace check bans licenses sources
	@mkdir -p $(target)/crds && $(bin)/wigwag-crds $(target)/crds && diff -r $(target)/crds charts/wigwag/files/crds && \
		diff -x src -x tests -x Cargo.toml $(target)/crds crds && echo 'crds are up to date' || { echo 'run: make crds'; exit 1; }

audit: $(deny)
	$(deny) --workspace check advisories

crds: build
	$(bin)/wigwag-crds crds docs/flows.md && cp crds/*.yaml charts/wigwag/files/crds/

bench:
	cargo build --release --workspace --bins
	$(target)/release/wigwag-bench && $(target)/release/wigwag-bench engine && $(target)/release/wigwag-bench operator-memory

# Built once, and without optimisation: it compiles in a third of the time and is fast enough.
$(deny):
	cargo install --locked --debug cargo-deny@0.20.2 --root $(abspath $(@D)/..) --target-dir $(target)/cargo-deny
	@rm -rf $(target)/cargo-deny
