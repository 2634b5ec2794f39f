# Sourced behind setup.sh: a Rust, a linker and a C compiler that make programs for handhelds (aarch64) on this machine.
# The linker is Zig's: it links against the glibc that is asked for, whatever the machine has.

target=aarch64-unknown-linux-gnu
# The oldest glibc of a supported firmware: ArkOS.
glibc_floor=2.30
tools_cache=${XDG_CACHE_HOME:-$HOME/.cache}/officeos-tests

# Where Debian's own Rust lacks the standard library for handhelds, it is unpacked beside our tools: no foreign
# architecture is added to this system. Sets `sysroot`.
debian_standard_library() {
  local owner version folder work options
  owner=$(dpkg-query -S "$(readlink -f "$(command -v rustc)")" 2>/dev/null | cut -d: -f1)
  case "$owner" in
    rustc-web) owner=libstd-rust-web-dev ;;
    rustc) owner=libstd-rust-dev ;;
    *) return 1 ;;
  esac
  version=$(dpkg-query -W -f '${Version}' "$owner")
  folder=$tools_cache/$owner-$version
  if [ ! -d "$folder" ]; then
    say "Fetching Rust's standard library for handhelds ($owner $version), once."
    mkdir -p "$tools_cache"
    work=$(mktemp -d "$tools_cache/std.XXXXXX")
    mkdir -p "$work"/{lists,archives,tree}/partial
    : > "$work/status"
    # The system's own sources, read for another architecture into a folder of ours.
    options=(-qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status"
      -o "Dir::Cache=$work" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o "APT::Sandbox::User=$(id -un)" -o Acquire::Languages=none)
    apt-get "${options[@]}" update >&2 || { rm -rf "$work"; die "The list of arm64 packages could not be had; apt's words are above."; }
    (cd "$work" && apt-get "${options[@]}" download "$owner=$version" >&2) \
      || { rm -rf "$work"; die "apt-get could not download $owner $version for arm64; its words are above. Where this system's Rust is older than its package lists: apt-get upgrade."; }
    dpkg-deb -x "$work"/*.deb "$work/tree"
    rmdir "$work/tree/partial"
    mv -T "$work/tree" "$folder" 2>/dev/null || [ -d "$folder" ]
    rm -rf "$work"
  fi
  sysroot=$folder/usr
}

# A Rust with a standard library for handhelds. Sets `sysroot` where it is not Rust's own; false where there is none.
ensure_target() {
  sysroot=
  local library
  library=$(cd "$top" && rustc --print target-libdir --target "$target" 2>/dev/null) || return 1
  compgen -G "$library/libstd-*.rlib" > /dev/null && return 0
  if command -v rustup > /dev/null && (cd "$top" && rustup which rustc > /dev/null 2>&1); then
    (cd "$top" && rustup target add "$target" >&2) && return 0
    return 1
  fi
  debian_standard_library
}

# Zig as `zig_cc` and `zig_ar`, from PyPI, in the version and with the hash that images/handheld/zig.txt names.
ensure_zig() {
  local recipe=$top/images/handheld/zig.txt folder work
  folder=$tools_cache/zig-$(cat "$recipe" "$top/scripts/lib/aarch64.sh" | sha256sum | cut -c 1-16)
  zig_cc=$folder/cc zig_ar=$folder/ar
  if [ ! -e "$zig_ar" ]; then
    # The system's own Python: one that a person switches between may lack venv.
    install_packages python3 python3-venv
    say "Fetching the linker (90 MB), once."
    mkdir -p "$tools_cache"
    work=$(mktemp -d "$tools_cache/zig.XXXXXX")
    /usr/bin/python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r "$recipe" >&2 \
      || { rm -rf "$work"; die "pip could not install the linker of images/handheld/zig.txt; its words are above."; }
    # The program in the wheel needs no Python.
    mv "$(dirname "$("$work/venv/bin/python" -c 'import ziglang; print(ziglang.__file__)')")" "$work/zig"
    rm -rf "$work/venv"
    # Rust's name of the target is not Zig's, and Zig's own carries the glibc.
    cat > "$work/cc" << END
#!/bin/bash
words=()
for word; do [[ \$word == --target=* ]] || words+=("\$word"); done
here=\$(dirname "\$0")
export ZIG_GLOBAL_CACHE_DIR=\$here/cache ZIG_LOCAL_CACHE_DIR=\$here/cache
exec "\$here/zig/zig" cc -target aarch64-linux-gnu.$glibc_floor "\${words[@]}"
END
    # shellcheck disable=SC2016  # it is the other script's
    printf '#!/bin/bash\nexec "$(dirname "$0")/zig/zig" ar "$@"\n' > "$work/ar"
    chmod +x "$work/cc" "$work/ar"
    mv -T "$work" "$folder" 2>/dev/null || [ -e "$zig_ar" ]
    rm -rf "$work"
  fi
}

# sdl_stub FOLDER: a libSDL2.so to link with, which has the functions of SDL 2.0.12 and does nothing.
sdl_stub() {
  local symbols=$top/images/handheld/sdl-2.0.12.symbols
  mkdir -p "$1"
  [ "$1/libSDL2.so" -nt "$symbols" ] && return 0
  sed -n 's/^\(SDL_[A-Za-z0-9_]*\)$/void \1(void) {}/p' "$symbols" > "$1/stub.c"
  # The functions' real shapes are of no interest to a linker, and clang would know some of them better.
  "$zig_cc" -shared -fno-builtin -w -Wl,-soname,libSDL2-2.0.so.0 -o "$1/libSDL2.so" "$1/stub.c"
}

# What cargo and the build scripts of its crates need to know. FLAGS are for rustc besides.
export_aarch64() { # FLAGS...
  local flags=("$@") variable=${target//-/_}
  [ -z "$sysroot" ] || flags+=("--sysroot=$sysroot")
  export "CARGO_TARGET_${variable^^}_LINKER=$zig_cc" "CC_$variable=$zig_cc" "AR_$variable=$zig_ar"
  # With this separator a folder's name may hold spaces.
  local IFS=$'\x1f'
  export "CARGO_ENCODED_RUSTFLAGS=${flags[*]}"
}
