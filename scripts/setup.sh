#!/usr/bin/env bash
# Sets up what building (`build`), testing (`test`, the default) or the soak (`soak`) of Sluice needs, and nothing that is
# there already. Everything comes from Debian, crates.io, rustup, npm or PyPI; the versions are those that docs and CI use.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CARGO_NEXTEST=0.9.143
CARGO_DENY=0.20.2
NODE=20
# These command-line tools and their crates must be the same version to the last digit.
WASM_BINDGEN=$(sed -n 's/^wasm-bindgen = .*"=\([0-9.]*\)".*/\1/p' app/Cargo.toml)
WASM_SPLIT=$(sed -n 's/^wasm_split_helpers = .*"=\([0-9.]*\)".*/\1/p' app/Cargo.toml)

mode=${1:-test}
tools=${SLUICE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice/tools}
export PATH="$tools/bin:$PWD/node_modules/.bin:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin:/usr/sbin"

case $mode in
build | test | soak) ;;
*)
  echo "usage: scripts/setup.sh [build|test|soak]" >&2
  exit 2
  ;;
esac

say() { printf 'setup: %s\n' "$*"; }

# What can't be had stops everything, with what a person can do about it.
give_up() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

there() { command -v "$1" >/dev/null 2>&1; }

# at_least HAVE WANT: whether version HAVE is WANT or newer.
at_least() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

debian_packages() {
  local missing=()
  there cc || missing+=(gcc libc6-dev)
  there haproxy || missing+=(haproxy)
  if [ "$mode" = soak ]; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
  fi
  if [ "$mode" = test ]; then
    there chromium || missing+=(chromium)
    # Screenshots and text widths need at least one font with tabular figures.
    [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || missing+=(fonts-dejavu-core)
  fi
  [ ${#missing[@]} -gt 0 ] || return 0

  local by_hand="apt-get install --no-install-recommends ${missing[*]}"
  there apt-get || give_up "these are missing: ${missing[*]}" "this is no Debian: please install them your system's way, and start again"
  local root=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || give_up "Debian packages are missing, and installing them needs root; please run: sudo $by_hand"
    root=(sudo -n)
  fi
  say "installing Debian packages: ${missing[*]}"
  "${root[@]}" bash scripts/apt-install.sh "${missing[@]}" || give_up "apt-get failed; its own words are above; by hand it is: $by_hand"
}

rust() {
  there cargo || give_up "cargo is missing: please install Rust (https://rustup.rs), and start again"
  local have want
  have=$(rustc --version | cut -d ' ' -f 2)
  want=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  at_least "$have" "$want" || give_up "rustc is $have and $want or newer is needed: rustup update stable"
  if [ ! -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ]; then
    there rustup || give_up "Rust's wasm32-unknown-unknown target is missing, and there is no rustup to add it; please install that target"
    say "adding Rust's wasm32-unknown-unknown target"
    rustup target add wasm32-unknown-unknown
  fi
  # Clippy compiles our own crates (.cargo/config.toml).
  local component components=(clippy)
  [ "$mode" != test ] || components+=(rustfmt)
  for component in "${components[@]}"; do
    cargo "${component/rust/}" --version >/dev/null 2>&1 && continue
    there rustup || give_up "cargo ${component/rust/} is missing, and there is no rustup to add it"
    say "adding Rust's $component"
    rustup component add "$component"
  done
}

# crate NAME VERSION FLAGS...: builds a tool from crates.io into the tools folder.
crate() {
  local name=$1 version=$2
  shift 2
  say "building $name $version into $tools (once; some minutes)"
  # The tools share dependencies, hence one target folder; without debug symbols it is a third of the size.
  CARGO_TARGET_DIR="$tools/build" CARGO_PROFILE_DEV_DEBUG=0 cargo install "$name@$version" --root "$tools" --force "$@" ||
    give_up "$name $version could not be built; cargo's words are above"
}

cargo_tools() {
  # `--debug` takes a third of the time, and these tools wait for others all day.
  # Its lock file doesn't resolve, so no `--locked`.
  is "wasm-bindgen $WASM_BINDGEN" wasm-bindgen || crate wasm-bindgen-cli "$WASM_BINDGEN" --debug
  # It does not say its version; cargo knows what it installed.
  [[ $(cargo install --list --root "$tools") == *"wasm_split_cli_support v$WASM_SPLIT:"* ]] ||
    crate wasm_split_cli_support "$WASM_SPLIT" --locked --debug --features build-binary
  if [ "$mode" = test ]; then
    there cargo-nextest || crate cargo-nextest "$CARGO_NEXTEST" --locked --debug
    there cargo-deny || crate cargo-deny "$CARGO_DENY" --locked --debug
  fi
  # Kept when a build fails or is interrupted: the next run goes on from there.
  rm -rf "$tools/build"
}

# is "NAME VERSION" COMMAND: whether that is how COMMAND calls itself.
is() { [ "$("$2" --version 2>/dev/null | head -n 1)" = "$1" ]; }

npm_packages() {
  there npm || give_up "npm is missing: please install Node.js $NODE or newer (https://nodejs.org), and start again"
  at_least "$(node --version | tr -d v)" "$NODE" || give_up "Node.js is $(node --version) and $NODE or newer is needed"
  [ package-lock.json -nt node_modules/.package-lock.json ] || return 0
  say "installing npm packages"
  # The browser is Debian's chromium; no package here needs its install script.
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --ignore-scripts --no-fund --no-audit --loglevel=error ||
    give_up "npm ci failed; npm's words are above"
}

# schemathesis, with all that it needs at one version each, in a folder of its own.
fuzzer() {
  local wanted=scripts/soak/requirements.txt have=$tools/schemathesis/requirements.txt
  cmp -s "$wanted" "$have" && return 0
  say "installing schemathesis into $tools/schemathesis"
  python3 -m venv --clear "$tools/schemathesis" && "$tools/schemathesis/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" ||
    give_up "schemathesis could not be installed; pip's words are above"
  cp "$wanted" "$have"
}

debian_packages
if [ "$mode" = soak ]; then
  fuzzer
  say "everything for '$mode' is there"
  exit
fi
rust
cargo_tools
npm_packages
# Tests of a version that can't be had say so and pass; building needs none of them.
[ "$mode" = build ] || bash scripts/haproxy-versions.sh || say "not every version of HAProxy is there; its tests will be skipped"
say "everything for '$mode' is there"
