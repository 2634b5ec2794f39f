# Sourced by scripts/package and scripts/install-laptop: the tree that an installation of the laptop side is.
# Needs setup.sh.

laptop_programs=(laptop-daemon link-service llm-service image-service fetch-service web-service officectl officeos-agent)
laptop_units=(officeos.target officeos-{control,link,llm,image,fetch}.socket officeos-{daemon,link,llm,image,fetch,web}.service)

# build_laptop: the programs as they are shipped; prints the folder they lie in.
build_laptop() {
  local bins=() program
  ensure_rust
  for program in "${laptop_programs[@]}"; do bins+=(--bin "$program"); done
  # What writes the manuals and completions, from the same build.
  bins+=(--example manuals)
  # No path of this machine in them.
  RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$top=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" \
    cargo build --locked --release --target-dir "$top/target/laptop-programs" -p laptop "${bins[@]}" >&2
  printf '%s\n' "$top/target/laptop-programs/release"
}

# stage_laptop ROOT PROGRAMS PREFIX UNITS: everything of the installation below ROOT, with its units in the folder UNITS.
# Owned by root in the end, whoever calls this; folders that are made at installation are in tmpfiles.conf.
stage_laptop() {
  local root=$1 programs=$2 prefix=$3 units=$4 program file made
  local lib=$root$prefix/lib/officeos share=$root$prefix/share
  umask 022
  mkdir -p "$lib" "$root$prefix"/{bin,lib/sysusers.d,lib/tmpfiles.d} "$root$units" "$root/etc/officeos" \
    "$share"/{man/man1,man/man5,man/man8,bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
  for program in "${laptop_programs[@]}"; do
    [ -x "$programs/$program" ] || die "There is no program $programs/$program."
    strip --strip-unneeded -o "$lib/$program" "$programs/$program"
    chmod 0755 "$lib/$program"
  done
  # What a person types. laptop-daemon is for --test, --test-p2p and --standalone.
  mv "$lib/officectl" "$lib/officeos-agent" "$root$prefix/bin/"
  ln -s ../lib/officeos/laptop-daemon "$root$prefix/bin/laptop-daemon"
  for file in "${laptop_units[@]}"; do
    sed "s#/usr/lib/officeos/#$prefix/lib/officeos/#" "$top/laptop/systemd/$file" > "$root$units/$file"
  done
  # Who wants questions on the desktop switches it on: systemctl --user enable --now officeos-agent.
  mkdir -p "$root$prefix/lib/systemd/user"
  sed "s#/usr/bin/#$prefix/bin/#" "$top/laptop/systemd/user/officeos-agent.service" > "$root$prefix/lib/systemd/user/officeos-agent.service"
  install -m 0644 "$top/laptop/systemd/sysusers.conf" "$root$prefix/lib/sysusers.d/officeos.conf"
  install -m 0644 "$top/laptop/systemd/tmpfiles.conf" "$root$prefix/lib/tmpfiles.d/officeos.conf"
  # Packages' places for both; beside them the system's own, for whom they are not read elsewhere.
  local dbus=$root/etc/dbus-1/system.d sysctl=$root/etc/sysctl.d
  [ "$prefix" != /usr ] || { dbus=$root/usr/share/dbus-1/system.d; sysctl=$root/usr/lib/sysctl.d; }
  mkdir -p "$dbus" "$sysctl"
  install -m 0644 "$top/laptop/dbus/officeos-wifi-direct.conf" "$dbus/officeos-wifi-direct.conf"
  install -m 0644 "$top/laptop/sysctl/officeos-wifi-direct.conf" "$sysctl/officeos-wifi-direct.conf"

  made=$(mktemp -d)
  "$programs/examples/manuals" "$made" >&2 || die "$programs/examples/manuals could not make manuals and completions."
  install -m 0644 "$made"/etc/*.toml "$root/etc/officeos/"
  install -m 0644 "$made"/man/*.1 "$share/man/man1/"
  install -m 0644 "$made"/man/*.8 "$share/man/man8/"
  for file in "$top"/laptop/man/*.5; do [ ! -e "$file" ] || install -m 0644 "$file" "$share/man/man5/"; done
  find "$share/man" -type f -exec gzip -9n {} +
  install -m 0644 "$made"/bash/* "$share/bash-completion/completions/"
  install -m 0644 "$made"/zsh/* "$share/zsh/vendor-completions/"
  install -m 0644 "$made"/fish/* "$share/fish/vendor_completions.d/"
  rm -rf "$made"
}
