#!/usr/bin/env bash
# Rules that no test can state: formatting, lints, layers, dependencies, the build without an operating system.
# A tool that this machine lacks is named and its rule skipped aloud.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0
rule() { # NAME COMMAND...
  local name=$1; shift
  if "$@"; then printf 'rule %s: holds\n' "$name"; else printf 'rule %s: BROKEN\n' "$name"; failed=1; fi
}
skip() { printf 'rule %s: SKIPPED, %s\n' "$1" "$2"; }

if cargo fmt --version >/dev/null 2>&1; then
  rule formatting cargo fmt --all --check
  # Workspaces of their own; what they bring is built where it is run.
  for apart in fuzz benches; do rule "formatting of $apart" cargo fmt --manifest-path "$apart/Cargo.toml" --check; done
else skip formatting "no rustfmt here"; fi

pinned=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
if ! cargo clippy --version >/dev/null 2>&1; then skip lints "no clippy here"
elif [ "$(rustc --version | cut -d' ' -f2)" = "$pinned" ]; then
  rule lints cargo clippy --locked --quiet --workspace --all-targets -- -D warnings
else
  skip lints "clippy is not of Rust $pinned, and other versions know other lints"
fi

rule layers .ci/layers.sh
rule dependencies .ci/dependencies.sh

target=thumbv7em-none-eabi
if command -v rustup >/dev/null; then rustup target add "$target" >/dev/null 2>&1 || true; fi
if [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
  rule bare-metal cargo check --locked --quiet -p shared-proto --no-default-features --target "$target"
  rule bare-metal-alloc cargo check --locked --quiet -p shared-proto --no-default-features --features alloc --target "$target"
else
  skip bare-metal "this Rust has no standard library for $target"
fi
exit "$failed"
