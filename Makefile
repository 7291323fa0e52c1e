# Everything one does with Sluice's source. `make demo` and `make test` set up what they need by themselves.

TOOLS := $(or $(SLUICE_TOOLS),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sluice/tools)
# cargo-leptos takes the first wasm-bindgen, wasm-opt and tailwindcss on PATH: ours before anybody else's.
export PATH := $(TOOLS)/bin:$(CURDIR)/node_modules/.bin:$(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin
# The program embeds target/site and is started from target/release, whatever is set outside.
unexport CARGO_TARGET_DIR CARGO_BUILD_TARGET
ifndef SLUICE_MAKE_BEGAN
export SLUICE_MAKE_BEGAN := $(shell date +%s)
endif

step := scripts/step.sh
program := target/release/sluice
# cargo-leptos runs wasm-opt and Tailwind each time, so it is only called when an input is newer than its last success.
# Folders are inputs too: deleting a file changes only its folder. The time that counts is when a build began: what is
# edited meanwhile is built the next time.
built := target/.built
inputs := $(shell find app server style public .cargo scripts/shrink-wasm.mjs Cargo.toml Cargo.lock package-lock.json -not -name proptest-regressions 2>/dev/null)

.PHONY: demo test bench lint build setup clean FORCE
.NOTPARALLEL:
.DEFAULT_GOAL := build

## demo: two HAProxy processes with servers and traffic, and the dashboard to look at them; Ctrl-C ends it
demo: build
	@$(step) "demo"
	@exec scripts/demo.sh $(ARGS)

## test: everything that CI checks
test: setup-test lint build unit browser
	@$(step) "test: all is well"

## lint: formatting, compiler lints for server and browser, dependencies
lint: setup-test
	@$(step) "format" cargo fmt --all --check
	@# The profiles and folders of the build itself, so that build scripts and macros are compiled once.
	@$(step) "lint, server" cargo clippy --locked --release --workspace --all-targets -- -D warnings
	@$(step) "lint, browser" cargo clippy --locked --profile wasm-release --target-dir target/front -p sluice-app --lib --features hydrate --target wasm32-unknown-unknown -- -D warnings
	@$(step) "dependencies" cargo deny --locked --log-level error check bans licenses sources

## build: the release program, target/release/sluice, with the site in it, and target/release/sluice-lab
build: setup-build $(built)
	@# With the server named, the lab is compiled with the features that cargo-leptos has just compiled for it.
	@$(step) "build, lab" cargo build --locked --release -p server -p lab --bin sluice-lab

$(built): $(inputs) $(if $(wildcard $(program)),,FORCE)
	@mkdir -p target && touch $@.began
	@$(step) "build" cargo leptos build --release --precompress
	@mv $@.began $@

## bench: the figures of the design, measured
bench: build
	@$(step) "bench" cargo run --locked --release --example bench -- $(ARGS)

.PHONY: unit browser setup-build setup-test
unit: build
	@$(step) "unit and integration tests" cargo nextest run --locked --release --workspace

browser: build setup-test
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
