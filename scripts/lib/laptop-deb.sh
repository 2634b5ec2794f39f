# Sourced by scripts/package: the laptop side as a Debian package.
. "$top/scripts/lib/laptop.sh"

package_laptop() {
  local programs='' revision=1 out=$top/target/packages compression=(-Zxz)
  while [ $# -gt 0 ]; do
    case "$1" in
      --programs | --out | --revision) [ $# -gt 1 ] || die "$1 needs a value."
         case "$1" in
           # Packed to be unpacked at once.
           --programs) programs=$(realpath "$2"); compression=(-Zgzip -z1) ;;
           --out) mkdir -p "$2"; out=$(realpath "$2") ;;
           --revision) revision=$2 ;;
         esac
         shift 2 ;;
      -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
      *) die "What is $1? scripts/package --help shows what there is." ;;
    esac
  done
  install_packages dpkg-dev binutils python3
  ensure_rust
  [ -n "$programs" ] || programs=$(build_laptop)
  local version architecture time root
  version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)-$revision
  architecture=$(dpkg --print-architecture)
  time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)}
  mkdir -p "$out"
  root=$(mktemp -d "$out/deb.XXXXXX")
  chmod 0755 "$root"
  # shellcheck disable=SC2064
  trap "rm -rf '$root'" EXIT
  stage_laptop "$root" "$programs" /usr /lib/systemd/system

  local doc=$root/usr/share/doc/officeos-laptop
  mkdir -p "$doc" "$root/DEBIAN"
  install -m 0644 laptop/package/copyright "$doc/copyright"
  cargo metadata --locked --format-version 1 --filter-platform "$(rustc -vV | sed -n 's/^host: //p')" \
    | python3 images/packages/licences.py laptop "$top" > "$doc/crates.txt"
  cp CHANGELOG.md "$doc/changelog"
  {
    printf 'officeos-laptop (%s) unstable; urgency=medium\n\n  * What is new is in changelog.gz beside this file.\n\n' "$version"
    printf ' -- OfficeOS maintainers <maintainers@officeos.example.org>  %s\n' "$(LC_ALL=C date -u -R -d "@$time")"
  } > "$doc/changelog.Debian"
  gzip -9n "$doc"/{changelog,changelog.Debian,crates.txt}

  (cd "$root" && find etc -type f | LC_ALL=C sort | sed 's#^#/#') > "$root/DEBIAN/conffiles"
  install -m 0755 laptop/package/{postinst,prerm,postrm} "$root/DEBIAN/"
  cat > "$root/DEBIAN/control" <<END
Package: officeos-laptop
Version: $version
Architecture: $architecture
Maintainer: OfficeOS maintainers <maintainers@officeos.example.org>
Installed-Size: $(du -k -s --apparent-size "$root" | cut -f 1)
Depends: $(needed_libraries "$root"/usr/bin/officectl "$root"/usr/lib/officeos/*), init-system-helpers (>= 1.54), passwd, systemd (>= 250)
Recommends: wpasupplicant
Section: net
Priority: optional
Description: laptop side of OfficeOS, a pocket terminal without internet
 An Anbernic handheld links to this laptop over Wi-Fi Direct or a cable and
 sends small signed programs; the laptop decides what each device may do, asks
 its owner where it should, does the work with the model servers that it can
 reach, and sends back what comes of it while it arrives.
 .
 This package has the daemon, its services as separate system users under
 systemd, and officectl, with which the owner pairs, watches and decides.
END
  (cd "$root" && find usr lib -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) > "$root/DEBIAN/md5sums"
  chmod 0644 "$root"/DEBIAN/{control,conffiles,md5sums}
  # The same bytes from the same programs, whoever packs them and when.
  find "$root" -newermt "@$time" -print0 | xargs -0 -r touch -h -d "@$time"
  local deb=$out/officeos-laptop_${version}_$architecture.deb
  SOURCE_DATE_EPOCH=$time dpkg-deb --root-owner-group "${compression[@]}" --build "$root" "$deb" >&2
  rm -rf "$root"
  trap - EXIT
  say "$(du -h "$deb" | cut -f 1) $deb"
  printf '%s\n' "$deb"
}

# needed_libraries PROGRAM...: as a package names them, from what the programs ask of the C library.
needed_libraries() {
  local glibc
  glibc=$(readelf -V "$@" | grep -o 'GLIBC_2\.[0-9]*' | sort -V | tail -n 1)
  printf 'libc6 (>= %s), libgcc-s1' "${glibc#GLIBC_}"
}
