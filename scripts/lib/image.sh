# Sourced behind setup.sh: the parts of an image from Debian's packages, without root, loop devices or foreign programs.
# Packages are unpacked, none of their scripts runs; what those would have set up is in images/system.

# The release that the system is made of; the app needs nothing that a later one has.
release=bookworm
recipe=$top/images/system
image_cache=${XDG_CACHE_HOME:-$HOME/.cache}/officeos-tests
# Every time in an image: that of the last commit that touched the recipe would differ with each clone's depth.
export SOURCE_DATE_EPOCH=1767225600 TZ=UTC LC_ALL=C

# fetch_packages FOLDER PACKAGE...: these packages for arm64 and all that they depend on, as Debian signed them, through an
# apt that looks into a folder of ours instead of the system's.
fetch_packages() {
  local folder=$1 mirror security keyring=/usr/share/keyrings/debian-archive-keyring.gpg options; shift
  # The mirror that this machine uses, where it is a Debian.
  # shellcheck disable=SC2016  # apt fills the field in
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $release" | sed -n 1p)
  # shellcheck disable=SC2016
  security=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $release-security" | sed -n 1p)
  mkdir -p "$folder"/apt/{lists,archives}/partial "$folder/apt/parts"
  : > "$folder/apt/status"
  printf 'deb [arch=arm64 signed-by=%s] %s %s main\n' "$keyring" "${mirror:-http://deb.debian.org/debian}" "$release" \
    "$keyring" "${security:-http://security.debian.org/debian-security}" "$release-security" > "$folder/apt/sources.list"
  options=(-qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::Etc::SourceList=$folder/apt/sources.list" -o "Dir::State::Lists=$folder/apt/lists" -o "Dir::State::status=$folder/apt/status"
    -o "Dir::Cache=$folder/apt" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o "APT::Sandbox::User=$(id -un)"
    -o APT::Install-Recommends=false -o Acquire::Languages=none)
  apt-get "${options[@]}" update >&2 || die "The list of $release's arm64 packages could not be had; apt's words are above."
  apt-get "${options[@]}" install --download-only -y "$@" >&2 \
    || die "The arm64 packages of the image could not be had from ${mirror:-deb.debian.org}; apt's words are above."
  mkdir -p "$folder/debs"
  mv "$folder"/apt/archives/*.deb "$folder/debs/"
}

# unpack DEB FOLDER: with merged /usr, without what nobody reads on a handheld.
unpack() {
  dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink --no-same-owner --exclude='./usr/share/doc' --exclude='./usr/share/man' \
    --exclude='./usr/share/locale' --exclude='./usr/share/info' --exclude='./usr/share/lintian' --exclude='./usr/share/bash-completion' \
    --exclude='./usr/share/zsh' --exclude='./usr/share/bug' --exclude='./usr/share/polkit-1' --exclude='./dev/*' --exclude='./var/*'
}
merged() { # FOLDER: an empty tree with merged /usr
  local name
  mkdir -p "$1"/usr/{bin,sbin,lib}
  for name in bin sbin lib; do ln -s "usr/$name" "$1/$name"; done
}

# Programs and libraries of TREE (ELF files) one a line.
elf_files() {
  find "$1" -type f \( -perm -u+x -o -name '*.so*' \) -print0 | while IFS= read -r -d '' file; do
    [ "$(head -c 4 "$file" | tr -d '\0')" = $'\x7fELF' ] && printf '%s\n' "$file"
  done
}

# take_libraries ROOT LIBRARIES: from the tree LIBRARIES into ROOT, the libraries that ROOT's programs name, and theirs.
take_libraries() {
  local root=$1 from=$2 name found files=() asked=' '
  mapfile -t files < <(elf_files "$root")
  while [ ${#files[@]} -gt 0 ]; do
    local fresh=()
    while read -r name; do
      [[ $asked == *" $name "* ]] && continue
      asked+="$name "
      # Some lie in folders of their own that the program names (systemd's shared library).
      [ -z "$(find "$root/usr/lib" -name "$name" -print -quit)" ] || continue
      found=$(find "$from/usr/lib" -name "$name" -print -quit)
      [ -n "$found" ] || die "The image's programs need $name, and none of the packages has it."
      local place=$root/usr/lib/aarch64-linux-gnu/$name
      mkdir -p "${place%/*}"
      cp -L "$found" "$place"
      fresh+=("$place")
    done < <(readelf -dW "${files[@]}" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u)
    files=("${fresh[@]+"${fresh[@]}"}")
  done
}

# take_modules KERNEL ROOT LIST: the modules of LIST, with what they depend on, from an unpacked kernel package into ROOT.
take_modules() {
  local kernel=$1 root=$2 list=$3 version module file
  version=$(ls "$kernel/lib/modules")
  mkdir -p "$root/usr/lib/modules/$version"
  [ -e "$kernel/lib/modules/$version/modules.dep" ] || depmod -b "$kernel" "$version"
  for module in $(sed 's/#.*//' "$list"); do
    # Some are part of the kernel itself in some versions.
    modprobe -d "$kernel" -S "$version" --show-depends "$module" 2>/dev/null || true
  done | awk '$1 == "insmod" { print $2 }' | sort -u | while read -r file; do
    file=lib/modules/${file#*/lib/modules/}
    mkdir -p "$root/usr/${file%/*}"
    cp "$kernel/$file" "$root/usr/$file"
  done
  cp "$kernel/lib/modules/$version"/modules.{builtin,builtin.modinfo,order} "$root/usr/lib/modules/$version/"
  depmod -b "$root/usr" "$version"
}

# Sets `parts`: a folder, made once, with `root` (the system but for the app and the supplicant), `Image` and `initrd.gz`.
image_parts() { # drm | sdl
  local display=$1 key work deb name
  key=$( { cat "$top/scripts/lib/image.sh"; printf '%s' "$display"; cat "$recipe"/packages* "$recipe"/modules* "$recipe/init"; } | sha256sum | cut -c 1-16)
  parts=$image_cache/image-$display-$key
  [ -e "$parts/initrd.gz" ] && return 0
  install_packages kmod cpio binutils ca-certificates debian-archive-keyring
  local lists=("$recipe/packages") whole all
  [ "$display" = drm ] || lists+=("$recipe/packages.sdl")
  mapfile -t whole < <(sed -n 's/^whole \([a-z0-9.+-]*\).*/\1/p' "${lists[@]}")
  mapfile -t all < <(sed -n 's/^\(whole\|only\) \([a-z0-9.+-]*\).*/\2/p' "${lists[@]}")
  mkdir -p "$image_cache"
  work=$(mktemp -d "$image_cache/image.XXXXXX")
  say "Making the system of the image from Debian $release, once."
  if [ -d "$image_cache/image-debs-$display" ] && [ "$(cat "$image_cache/image-debs-$display/list")" = "${all[*]}" ]; then
    ln -s "$image_cache/image-debs-$display/debs" "$work/debs"
  else
    fetch_packages "$work" "${all[@]}" linux-image-arm64 busybox-static
    rm -rf "$image_cache/image-debs-$display"; mkdir "$image_cache/image-debs-$display"
    mv "$work/debs" "$image_cache/image-debs-$display/debs"
    printf '%s' "${all[*]}" > "$image_cache/image-debs-$display/list"
    ln -s "$image_cache/image-debs-$display/debs" "$work/debs"
  fi

  for name in root libraries kernel busybox; do mkdir "$work/$name"; merged "$work/$name"; done
  for deb in "$work"/debs/*.deb; do
    name=$(basename "$deb"); name=${name%%_*}
    case "$name" in
      linux-image-*) unpack "$deb" "$work/kernel" ;;
      busybox-static) unpack "$deb" "$work/busybox" ;;
      *) if printf '%s\n' "${whole[@]}" | grep -qx "$name"; then unpack "$deb" "$work/root"; else unpack "$deb" "$work/libraries"; fi ;;
    esac
  done
  local root=$work/root
  # Programs look for their loader here.
  cp -L "$work/libraries/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1" "$root/usr/lib/ld-linux-aarch64.so.1"
  # The app's and the supplicant's own needs, and systemd's keyed by name at run time.
  rm -rf "$root"/usr/share/{initramfs-tools,bug,pkgconfig,debianutils} "$root"/etc/{default,init.d,rc*.d,kernel,modprobe.d,modules*,cron*,X11,xdg}
  prune_system "$root"
  sed -n 's/^only [a-z0-9.+-]* //p' "${lists[@]}" | while read -r name; do
    mkdir -p "$root/${name%/*}"
    cp "$work/libraries/$name" "$root/$name"
  done
  take_libraries "$root" "$work/libraries"
  # The app is linked for an older C library, which had these apart.
  for name in libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1; do
    [ -e "$root/usr/lib/aarch64-linux-gnu/$name" ] || cp -L "$work/libraries/usr/lib/aarch64-linux-gnu/$name" "$root/usr/lib/aarch64-linux-gnu/"
  done
  mkdir -p "$root"/{proc,sys,dev,run,tmp,var,root,card,mnt} "$root/usr/lib/officeos"
  cp "$work/busybox/bin/busybox" "$root/usr/lib/officeos/busybox"
  : > "$root/etc/machine-id"
  ln -sf /proc/self/mounts "$root/etc/mtab"
  take_modules "$work/kernel" "$root" "$recipe/modules"
  cp "$work"/kernel/boot/vmlinuz-* "$work/Image"

  local first=$work/first version
  version=$(ls "$work/kernel/lib/modules")
  mkdir -p "$first"/{bin,proc,sys,dev,root,lib}
  mkdir "$first/usr"; ln -s ../lib "$first/usr/lib"
  cp "$work/busybox/bin/busybox" "$first/bin/"
  take_modules "$work/kernel" "$first" "$recipe/modules.initrd"
  sed 's/#.*//' "$recipe/modules.initrd" > "$first/modules.list"
  install -m 755 "$recipe/init" "$first/init"
  archive "$first" > "$work/initrd.gz"
  rm -rf "$work"/{debs,apt,libraries,kernel,busybox,first}
  chmod -R u+rwX,go+rX,go-w "$root"
  mv -T "$work" "$parts" 2>/dev/null || { rm -rf "$work"; [ -e "$parts/initrd.gz" ]; }
}

# archive FOLDER: as a first file system of the kernel, the same bytes each time.
archive() {
  find "$1" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
  (cd "$1" && find . -print0 | sort -z | cpio -0 -o -H newc -R 0:0 --reproducible --quiet | gzip -9n)
}

# What of systemd and udev has no task on a handheld.
prune_system() {
  local root=$1 name
  rm -rf "$root"/usr/lib/udev/hwdb.d "$root"/usr/lib/systemd/{boot,catalog,user,user-preset,network,portable,user-generators,ntp-units.d} \
    "$root"/usr/lib/{environment.d,kernel,modprobe.d,sysusers.d,tmpfiles.d,pam.d} "$root"/usr/share/{dbus-1/services,factory,mime,gettext,doc-base} "$root"/etc/{pam.d,systemd/user,systemd/network,systemd/user.conf,init,sv}
  for name in bootctl busctl hostnamectl localectl timedatectl portablectl kernel-install loginctl networkctl resolvectl systemd-analyze systemd-cat \
    systemd-cgls systemd-cgtop systemd-cryptenroll systemd-delta systemd-detect-virt systemd-mount systemd-umount systemd-nspawn systemd-path \
    systemd-run systemd-socket-activate systemd-stdio-bridge systemd-sysext systemd-id128 systemd-machine-id-setup systemd-repart systemd-creds \
    systemd-ask-password systemd-tty-ask-password-agent systemd-notify systemd-inhibit systemd-escape systemd-hwdb deb-systemd-helper dbus-cleanup-sockets dbus-run-session \
    systemd-dissect systemd-firstboot systemd-sysusers dbus-monitor dbus-send dbus-uuidgen dbus-update-activation-environment; do
    rm -f "$root/usr/bin/$name"
  done
  for name in networkd networkd-wait-online resolved timesyncd timedated localed hostnamed portabled pstore homed userdbd userwork importd import pull machined coredump \
    oomd bless-boot boot-check-no-failures cryptsetup veritysetup integritysetup growfs makefs export quotacheck reply-password sulogin-shell initctl \
    dissect hibernate-resume update-done network-generator measure pcrphase xdg-autostart-condition volatile-root time-wait-sync rfkill backlight sysext ac-power stdio-bridge user-runtime-dir; do
    rm -f "$root/usr/lib/systemd/systemd-$name" "$root/usr/lib/systemd/system/systemd-$name.service"
  done
  rm -f "$root"/usr/lib/systemd/system/{getty,console-getty,serial-getty,container-getty,debug-shell,emergency,rescue,systemd-firstboot,ldconfig,systemd-hwdb-update,autovt,user}*.service \
    "$root"/usr/lib/systemd/system/{getty*,ctrl-alt-del*,kexec*,printer*,smartcard*,bluetooth*,sound*}.target "$root"/usr/lib/systemd/system/systemd-journal-catalog-update.service \
    "$root"/usr/lib/systemd/system/systemd-{sysusers,machine-id-commit,update-utmp,update-utmp-runlevel,random-seed,tmpfiles-clean,ask-password-wall,ask-password-console}.*
  # These would be the services that D-Bus starts when asked.
  find "$root"/usr/share/dbus-1/system{-services,.d} -type f ! -name 'org.freedesktop.login1.*' ! -name 'org.freedesktop.systemd1.*' -delete
  rm -rf "$root"/usr/lib/systemd/system/{cryptdisks*,dbus-org.freedesktop.{hostname1,locale1,timedate1}.service,hwclock.service,kmod*,nftables.service,procps.service,rc*,x11-common.service,*cryptsetup*,*veritysetup*,*integritysetup*,systemd-networkd*,systemd-pcrphase*,systemd-tmpfiles*,systemd-backlight*,systemd-rfkill*,systemd-initctl*,systemd-hibernate*,systemd-fsckd*}
  rm -f "$root"/usr/lib/systemd/system-generators/{systemd-cryptsetup-generator,systemd-veritysetup-generator,systemd-integritysetup-generator,systemd-hibernate-resume-generator,systemd-rc-local-generator,systemd-sysv-generator,systemd-gpt-auto-generator,systemd-bless-boot-generator,systemd-getty-generator,systemd-run-generator,systemd-debug-generator,systemd-system-update-generator}
  rm -rf "$root"/usr/lib/systemd/system/{sysinit,sockets,timers,multi-user,graphical,getty,local-fs,remote-fs,initrd*}.target.wants "$root"/usr/lib/systemd/system/initrd*
  rm -f "$root"/usr/sbin/{mkfs.msdos,fatlabel,dosfslabel,cfdisk,fdisk,mkdosfs,fsck.fat,fsck.msdos,fsck.vfat,dosfsck} "$root"/usr/bin/{nisdomainname,kernel-install}
}

# The links that systemd's own scripts would make.
enable_units() {
  local units=$1/usr/lib/systemd/system name
  ln -sf officeos.target "$units/default.target"
  mkdir -p "$units"/{sysinit,sockets,basic,local-fs,officeos}.target.wants
  for name in systemd-journald.service systemd-modules-load.service systemd-sysctl.service systemd-udev-trigger.service systemd-udevd.service officeos-firewall.service; do
    ln -sf "../$name" "$units/sysinit.target.wants/$name"
  done
  for name in dbus.socket systemd-journald.socket systemd-journald-dev-log.socket systemd-udevd-control.socket systemd-udevd-kernel.socket; do
    ln -sf "../$name" "$units/sockets.target.wants/$name"
  done
  ln -sf ../officeos-grow.service "$units/local-fs.target.wants/officeos-grow.service"
  ln -sf ../systemd-logind.service "$units/officeos.target.wants/systemd-logind.service"
}

# build_program DISPLAY FOLDER: the app, and what it wants beside itself. With SDL it is the program that firmwares get; the
# other needs no library but the C library, and has its fonts within.
build_program() {
  local display=$1 folder=$2
  mkdir -p "$folder"
  if [ "$display" = sdl ]; then scripts/build-handheld --out "$folder" > /dev/null; return; fi
  . "$top/scripts/lib/aarch64.sh"
  ensure_rust
  ensure_target || die "This Rust has no standard library for aarch64; scripts/build-handheld says how to get one."
  ensure_zig
  export_aarch64 "--remap-path-prefix=$top=."
  cargo build --locked --release --target "$target" --target-dir target/image-program -p handheld --bin officeos-handheld >&2
  cp "$top/target/image-program/$target/release/officeos-handheld" "$folder/"
}

# finish_root PARTS ROOT PROGRAM SUPPLICANT DISPLAY: the system with our part of it.
finish_root() {
  cp -a "$1" "$2"
  cp -a "$recipe/root/." "$2/"
  enable_units "$2"
  mkdir -p "$2/usr/lib/officeos/app"
  cp -r "$3/." "$2/usr/lib/officeos/app/"
  install -m 755 "$4" "$2/usr/lib/officeos/wpa_supplicant"
  cp "$recipe/app-$5.env" "$2/usr/lib/officeos/app.env"
  chmod -R u+rwX,go+rX,go-w "$2"
}

# squash ROOT FILE [COMPRESSION]: everybody's files are root's.
squash() {
  local compression=${3:-zstd} level=()
  [ "$compression" != zstd ] || level=(-Xcompression-level 15)
  rm -f "$2"
  # It takes SOURCE_DATE_EPOCH for the time of the whole; -all-time is refused beside it.
  mksquashfs "$1" "$2" -quiet -no-progress -all-root -noappend -comp "$compression" ${level[@]+"${level[@]}"} -no-xattrs
}

# fat FILE KIB ID LABEL
fat() {
  rm -f "$1"
  mkfs.vfat -C -F 32 -s 1 -i "$3" -n "$4" --invariant "$1" "$2" > /dev/null
}
