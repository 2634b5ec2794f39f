# Sourced behind image.sh: our system on a copy of a firmware's image. The vendor's boot loader, kernel, device trees and
# initial file system stay as they are; what they start is ours. Nothing is mounted: mtools, sfdisk and squashfs-tools do it.
#
# Two layouts are known (images/README.md):
#   a FAT partition with the firmware's system as one squashfs file (ROCKNIX: SYSTEM): that file is replaced by our system
#   with the firmware's own kernel modules and radio firmware, and a partition for the user is added at the end;
#   a FAT partition with the folder Roms (stock): the package goes into Roms/APPS, and everything else stays.

# The first kernel whose firewall sees what leaves an interface by a packet socket.
firewall_since=5.16

# Lines `START SIZE TYPE` in sectors of 512 octets, one for each partition of the image $1.
partitions() {
  sfdisk --json "$1" 2>/dev/null | python3 -c '
import json, sys
table = json.load(sys.stdin)["partitiontable"]
if table.get("sectorsize", 512) != 512: sys.exit("sectors are not 512 octets")
for part in table["partitions"]: print(part["start"], part["size"], part["type"])'
}

# The path of the squashfs file on the FAT file system $1 (mtools notation): the largest file that begins as one.
squashfs_on() {
  local line path head best='' size largest=0
  while read -r path; do
    head=$(mtype -i "$1" "$path" 2>/dev/null | head -c 4 | tr -d '\0' || true)
    [ "$head" = hsqs ] || continue
    size=$(mtype -i "$1" "$path" 2>/dev/null | wc -c)
    if [ "$size" -gt "$largest" ]; then largest=$size best=$path; fi
  done < <(mdir -i "$1" -/ -b ::/ 2>/dev/null | grep -v '/$' || true)
  printf '%s' "$best"
}

# put_onto FIRMWARE WORK OUT
put_onto() {
  local firmware=$1 work=$2 out=$3 start size kind fat system='' apps='' image
  install_packages python3
  image=$out/officeos-on-$(basename "$firmware")
  [ "$(head -c 4 "$firmware" | tr -d '\0')" != "$(printf '\x28\xb5\x2f\xfd')" ] && [[ $firmware != *.gz && $firmware != *.xz && $firmware != *.zip && $firmware != *.7z ]] \
    || die "$firmware is compressed. Unpack it first; what is wanted is the image as it is written to a card."
  partitions "$firmware" > "$work/partitions" && [ -s "$work/partitions" ] \
    || die "$firmware has no partition table, so it is no image of a card."
  while read -r start size kind; do
    fat=$firmware@@$((start * 512))
    minfo -i "$fat" :: > /dev/null 2>&1 || continue
    system=$(squashfs_on "$fat")
    [ -z "$system" ] || break
    if mdir -i "$fat" -b ::/Roms > /dev/null 2>&1; then apps=$start; fi
  done < "$work/partitions"
  if [ -n "$system" ]; then replace_system "$firmware" "$work" "$image" "$start" "$system"
  elif [ -n "$apps" ]; then add_package "$firmware" "$work" "$image" "$apps"
  else
    die "$firmware is not recognised: none of its partitions is a FAT file system with a squashfs file (ROCKNIX) or with a folder Roms (stock). Its partitions:
$(cat "$work/partitions")
muOS and dArkOS have neither before their first start: take the package for them (scripts/package), or say what this image is."
  fi
  (cd "$out" && sha256sum "$(basename "$image")" > "$(basename "$image" .img).sha256")
  say "$image: $(($(stat -c %s "$image") / 1048576)) MiB, SHA-256 beside it. Flash it as images/README.md says."
}

# The kernel that the tree $1 has modules for; refuses what cannot be kept from the internet.
kernel_of() {
  local versions version modules
  mapfile -t versions < <(find "$1/usr/lib/modules" "$1/lib/modules" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' 2>/dev/null | sort -u)
  [ ${#versions[@]} = 1 ] || die "The firmware's system has modules for ${#versions[@]} kernels (${versions[*]:-none}); exactly one is understood."
  version=${versions[0]}
  modules=$(find "$1/usr/lib/modules/$version" "$1/lib/modules/$version" -maxdepth 0 2>/dev/null | head -n 1)
  [ "$(printf '%s\n' "$firewall_since" "${version%%-*}" | sort -V | head -n 1)" = "$firewall_since" ] \
    || die "The firmware's kernel is $version. Its firewall cannot see what leaves by a packet socket; that came with $firewall_since. Take the package for this firmware (scripts/package): there the app's own confinement keeps it from the internet."
  grep -qs '/nf_tables\.ko' "$modules/modules.builtin" "$modules/modules.dep" \
    || die "The firmware's kernel $version has no nf_tables, so our system could not keep its firewall. Take the package for this firmware (scripts/package)."
  printf '%s' "$modules"
}

replace_system() {
  local firmware=$1 work=$2 image=$3 start=$4 system=$5 fat modules free need end sectors
  say "The system is $system on the FAT partition at sector $start: it is replaced."
  mcopy -i "$firmware@@$((start * 512))" "::${system#::}" "$work/vendor.squashfs"
  # Device nodes need root, and nothing of ours needs them.
  unsquashfs -q -n -no-xattrs -d "$work/vendor" -excludes "$work/vendor.squashfs" dev > "$work/unsquash.log" 2>&1 \
    || unsquashfs -q -n -no-xattrs -ignore-errors -f -d "$work/vendor" "$work/vendor.squashfs" > "$work/unsquash.log" 2>&1 \
    || { cat "$work/unsquash.log" >&2; die "The firmware's system could not be unpacked; the words of unsquashfs are above."; }
  modules=$(kernel_of "$work/vendor")
  say "Its kernel ${modules##*/} stays, with its modules."
  local root=$work/root
  rm -rf "$root/usr/lib/modules"
  mkdir -p "$root/usr/lib/modules"
  cp -a "$modules" "$root/usr/lib/modules/"
  for folder in "$work/vendor/usr/lib/firmware" "$work/vendor/lib/firmware"; do
    [ ! -d "$folder" ] || [ -L "$folder" ] || { mkdir -p "$root/usr/lib/firmware"; cp -a "$folder/." "$root/usr/lib/firmware/"; break; }
  done
  # Where an initial file system of the vendor's mounts its own partitions, and what it starts.
  mkdir -p "$root"/{flash,storage,userdata,boot,overlay,sysroot}
  ln -sf ../lib/systemd/systemd "$root/usr/sbin/init"
  # The partition for the user is the last one, whose number is the vendor's affair; it stays as large as it is made here.
  rm -f "$root/usr/lib/systemd/system/local-fs.target.wants/officeos-grow.service"
  # Compressed as the vendor's kernel is known to read it.
  squash "$root" "$work/system.squashfs" "$(unsquashfs -s "$work/vendor.squashfs" | sed -n 's/^Compression //p')"
  cp --sparse=always "$firmware" "$image"
  fat=$image@@$((start * 512))
  mdel -i "$fat" "::${system#::}"
  need=$(stat -c %s "$work/system.squashfs")
  free=$(minfo -i "$fat" :: | sed -n 's/.*free clusters=\([0-9]*\).*/\1/p')
  mcopy -i "$fat" -m "$work/system.squashfs" "::${system#::}" \
    || die "The FAT partition has no room for our system ($need octets; free clusters: ${free:-unknown})."
  # What a vendor checks it with would not fit any more.
  for sum in "$system.md5" "$system.sha256"; do mdel -i "$fat" "::${sum#::}" 2>/dev/null || true; done

  # The user's partition, behind all others and aligned to 4 MiB.
  end=$(awk '{ e = $1 + $2; if (e > m) m = e } END { print m }' "$work/partitions")
  start=$(((end + 8191) / 8192 * 8192)) sectors=$((64 * 2048))
  fat "$work/user.fat" $((sectors / 2)) 0ff1ce03 OFFICEOS
  mcopy -i "$work/user.fat" -m "$recipe/root/usr/share/officeos/README.txt" ::/
  truncate -s $(((start + sectors) * 512 + 1048576)) "$image"
  if sfdisk --json "$image" 2>/dev/null | grep -q '"label": *"gpt"'; then sfdisk -q --relocate gpt-bak-std "$image" > /dev/null; fi
  printf 'start=%s, size=%s, type=%s\n' "$start" "$sectors" \
    "$(sfdisk --json "$image" | grep -q '"label": *"gpt"' && echo EBD0A0A2-B9E5-4433-87C0-68B6B72699C7 || echo c)" | sfdisk -q --append "$image" \
    || die "The partition table of the firmware takes no further partition: an MBR has four."
  dd if="$work/user.fat" of="$image" bs=1M seek=$((start / 2048)) conv=notrunc status=none
}

add_package() {
  local firmware=$1 work=$2 image=$3 start=$4 folder
  say "The FAT partition at sector $start has the folder Roms: the package goes into Roms/APPS, and the firmware stays as it is."
  install_packages unzip
  "$top/scripts/package" > /dev/null
  folder=$work/package
  unzip -q "$top"/target/packages/OfficeOS-*-stock.zip -d "$folder"
  cp --sparse=always "$firmware" "$image"
  mmd -i "$image@@$((start * 512))" -D s ::/Roms/APPS 2>/dev/null || true
  mcopy -i "$image@@$((start * 512))" -s -m -o "$folder"/Roms/APPS/* ::/Roms/APPS/ \
    || die "The FAT partition has no room for the package."
}
