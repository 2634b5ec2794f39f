# Sourced by the other scripts: finds or installs what a step needs, on Debian and Ubuntu.
# Nothing is installed that is there already, and root is asked for only where something is missing.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# The Rust that the project is pinned to; anything as new will do.
rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$top/Cargo.toml")

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "Root is needed for: $*. Run it yourself, or install sudo, then start again."
  fi
}

# install PACKAGE...: the Debian packages that are missing, in one go.
install_packages() {
  command -v dpkg-query >/dev/null || die "This script installs packages on Debian and Ubuntu only. Install by hand: $*"
  local missing=() package
  for package; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "Installing: ${missing[*]}"
  as_root apt-get update -qq || say "The package lists could not be refreshed; trying with those that are here."
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 \
    || die "apt-get could not install ${missing[*]}; its words are above."
}

has_package() { apt-cache show "$1" >/dev/null 2>&1; }

# True where `cargo` is here and new enough.
rust_is_here() {
  command -v cargo >/dev/null || return 1
  local have
  have=$(cd "$top" && cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9.]*\).*/\1/p')
  [ -n "$have" ] && [ "$(printf '%s\n%s\n' "$rust_wanted" "$have" | sort -V | head -n 1)" = "$rust_wanted" ]
}

ensure_rust() {
  [ -x "$HOME/.cargo/bin/cargo" ] && PATH="$HOME/.cargo/bin:$PATH"
  if ! rust_is_here; then
    as_root apt-get update -qq || true
    if has_package cargo-web; then
      # Debian's builds of current Rust, made for its browsers.
      install_packages cargo-web rustc-web
    elif has_package rustup; then
      install_packages rustup
      rustup toolchain install "$rust_wanted.0" --profile minimal -c rustfmt -c clippy
    fi
    rust_is_here || die "Rust $rust_wanted or newer is needed and this system's packages have none. Install it from rust-lang.org, then start again."
  fi
  # A C compiler for SQLite, zstd and the assembler of ring.
  install_packages gcc libc6-dev
}

# SDL2 to link the window with.
ensure_sdl() { install_packages libsdl2-dev; }
