# Everything one does with Sluice's source. `make demo`, `make test` and `make soak` set up what they need by themselves.

TOOLS := $(or $(SLUICE_TOOLS),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sluice/tools)
# The tools are those of this project, before anybody else's.
export PATH := $(TOOLS)/bin:$(CURDIR)/node_modules/.bin:$(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin
# The program embeds target/site and is started from target/release, whatever is set outside.
unexport CARGO_TARGET_DIR CARGO_BUILD_TARGET
ifndef SLUICE_MAKE_BEGAN
export SLUICE_MAKE_BEGAN := $(shell date +%s)
endif

step := scripts/step.sh
# clippy-driver leaves some of rustc's optimisations out, so what is shipped is not compiled by it.
by_rustc := env RUSTC_WORKSPACE_WRAPPER=
# Programs, tests, examples and benchmarks at once: a crate that tests use with more features is not compiled twice.
everything := cargo build --locked --release --workspace --all-targets
# The site takes half a minute even where nothing has changed, so it is only built when an input is newer than the last
# time. Folders are inputs too: deleting a file changes only its folder. The time that counts is when a build began: what
# is edited meanwhile is built the next time.
site := target/.site
inputs := $(shell find app crates/model style public .cargo scripts/site.mjs Cargo.toml Cargo.lock package-lock.json -not -name proptest-regressions 2>/dev/null)

.PHONY: demo test soak bench lint build dist setup clean FORCE
.NOTPARALLEL:
.DEFAULT_GOAL := build

## demo: two HAProxy processes with servers and traffic, and the dashboard to look at them; Ctrl-C ends it
demo: build
	@$(step) "demo"
	@exec scripts/demo.sh $(ARGS)

## test: everything that CI checks
test: setup-test lint unit browser
	@$(step) "test: all is well"

## soak: what is too long for `make test`: a fuzzer over every route of the API, as everybody who may ask
soak: build
	@$(step) "set-up for the soak" scripts/setup.sh soak
	@$(step) "soak" $(TOOLS)/schemathesis/bin/python scripts/soak/soak.py $(ARGS)

## lint: formatting, dependencies, and every crate compiled by clippy-driver (.cargo/config.toml), for server and browser
lint: setup-test
	@$(step) "format" cargo fmt --all --check
	@$(step) "dependencies" cargo deny --locked --log-level error check bans licenses sources
	@$(MAKE) --no-print-directory $(site)
	@$(step) "compile and lint" $(everything)

## build: target/release/sluice, with the site in it, and target/release/sluice-lab
build: setup-build $(site)
	@$(step) "program" cargo build --locked --release -p server -p lab --bins

$(site): $(inputs) $(if $(wildcard target/site),,FORCE)
	@mkdir -p target && touch $@.began
	@$(step) "site" node scripts/site.mjs
	@mv $@.began $@

## dist: target/dist/sluice, which is what to install: optimised throughout, and by rustc itself
dist: setup-build
	@rm -f $(site)
	@$(step) "site" $(by_rustc) node scripts/site.mjs
	@$(step) "program" $(by_rustc) cargo build --locked --profile dist -p server --features mimalloc --bin sluice

## bench: the figures of the design, measured on what `make dist` builds
bench: dist
	@$(step) "bench" $(by_rustc) cargo run --locked --profile dist -p server --features mimalloc --example bench -- $(ARGS)

.PHONY: unit browser setup-build setup-test
unit: setup-test $(site)
	@$(step) "unit and integration tests" cargo nextest run --locked --release --workspace

browser: setup-test $(site)
	@$(step) "program" $(everything)
	@$(step) "browser tests" sh -c 'cd end2end && playwright test $(ARGS)'

## setup: what building and testing need
setup: setup-test

setup-build:
	@$(step) "set-up" scripts/setup.sh build

setup-test:
	@$(step) "set-up for tests" scripts/setup.sh test

## clean: what was built, and the npm packages; the tools stay in their cache
clean:
	cargo clean
	rm -rf node_modules end2end/test-results end2end/playwright-report
