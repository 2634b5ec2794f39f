#!/bin/sh
# Writes down what a handheld's Wi-Fi is like, for images/FIELD-TEST.md: one text file beside this script, or in the folder
# that is named. Changes nothing, but for --try.
#
#   field-test.sh [FOLDER]               interfaces, drivers, firmware, managers, supplicants, logs
#   field-test.sh --try IFACE [FOLDER]   the same, and then takes IFACE, looks for laptops for ten seconds and gives it back
#
# Passphrases, keys, names of networks and the last halves of hardware addresses are replaced before anything is written.
# Read the file all the same before you send it.
set -u

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
here=$(cd "$(dirname "$0")" && pwd)
# Elsewhere only in tests.
root=${OFFICEOS_ROOT:-}
net=$root/sys/class/net run=$root/run/officeos-radio

try=
if [ "${1:-}" = --try ]; then try=${2:?--try needs an interface}; shift 2; fi
case "$try${1:-}" in -*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;; esac
folder=${1:-$here}
mkdir -p "$folder" || exit 1
# In memory, and only for its owner, until it is clean.
umask 077
raw=$(mktemp -d 2>/dev/null) || { raw=/tmp/officeos-field-test.$$; mkdir "$raw" || exit 1; }
trap 'rm -rf "$raw"' EXIT
trap 'exit 1' HUP INT TERM
report=$folder/officeos-field-test-$(date +%Y%m%d-%H%M%S).txt

has() { command -v "$1" > /dev/null 2>&1; }
# Nothing here may hang; an old busybox wants its seconds as -t.
if ! has timeout; then bounded() { "$@"; }
elif timeout 1 true 2>/dev/null; then bounded() { timeout 15 "$@"; }
else bounded() { timeout -t 15 "$@"; }
fi

section() { printf '\n== %s\n' "$*"; }
# show COMMAND...: what it was and what it said.
show() {
  printf '\n$ %s\n' "$*"
  if ! has "$1"; then echo "(there is no $1)"; return; fi
  bounded "$@" 2>&1
  status=$?
  [ $status = 0 ] || echo "(exit status $status)"
}
# A line for each file that is there: its name and what is in it.
values() {
  for file; do
    if [ -f "$file" ]; then printf '%s: %s\n' "${file#"$root"}" "$(tr '\0\n' '  ' < "$file" 2>&1)"; fi
  done
}
# The processes that have to do with networks, with their arguments.
processes() {
  for entry in "$root"/proc/[0-9]*; do
    read -r name 2>/dev/null < "$entry/comm" || continue
    case "$name" in
      *wpa_supplicant* | NetworkManager | connmand | iwd | dhcpcd | udhcpc | dhclient | hostapd | dnsmasq | systemd-network* | officeos*)
        printf '%s %s\n' "${entry##*/}" "$(tr '\0' ' ' < "$entry/cmdline")" ;;
    esac
  done
}
wireless() {
  for entry in "$net"/*; do
    if [ -e "$entry/phy80211" ] || [ -e "$entry/wireless" ]; then echo "${entry##*/}"; fi
  done
}

collect() {
  echo "OfficeOS field test, form 1"
  date
  section "Firmware"
  values "$root/etc/os-release" "$root/etc/issue" "$root/proc/device-tree/model" "$root/opt/muos/config/version.txt" "$root/mnt/vendor/oem/board.ini" \
    "$root/usr/share/batocera/batocera.version" "$root/usr/share/plymouth/themes/text.plymouth" "$root/proc/version" "$root/proc/uptime"
  show id
  show ldd --version
  echo
  for tool in busybox ip iw iwconfig iwpriv rfkill nmcli connmanctl iwctl wpa_cli wpa_supplicant hostapd dhcpcd udhcpc systemctl timeout setsid; do
    printf '%s: %s\n' "$tool" "$(command -v "$tool" || echo no)"
  done

  section "Interfaces"
  for entry in "$net"/*; do
    printf '%s driver=%s phy=%s\n' "${entry##*/}" "$(readlink "$entry/device/driver" | sed 's|.*/||')" "$(readlink "$entry/phy80211" | sed 's|.*/||')"
    values "$entry/address" "$entry/flags" "$entry/operstate" "$entry/type" "$entry/dev_id"
  done
  show ip -o link
  show ip -o addr
  show ip -6 route
  show ip -4 route
  for iface in $(wireless); do
    for name in disable_ipv6 addr_gen_mode accept_ra dad_transmits router_solicitations; do
      file=$root/proc/sys/net/ipv6/conf/$iface/$name
      printf '%s %s: %s\n' "$iface" "$name" "$(cat "$file" 2>/dev/null || echo none) $([ -w "$file" ] && echo writable)"
    done
    show iw dev "$iface" info
    show iw dev "$iface" link
    show iw dev "$iface" get power_save
  done

  section "Radio and driver"
  show iw phy
  show iw reg get
  for entry in "$root"/sys/class/rfkill/rfkill*; do values "$entry/name" "$entry/type" "$entry/soft" "$entry/hard"; done
  values "$root"/sys/bus/sdio/devices/*/uevent "$root"/sys/bus/sdio/devices/*/power/control
  show lsmod
  for iface in $(wireless); do values "$net/$iface"/device/driver/module/version "$net/$iface"/device/driver/module/parameters/*; done
  values "$root/proc/net/rtl8821cs/ver_info" "$root/sys/power/state" "$root/sys/power/mem_sleep"
  printf '\n$ dmesg, what has to do with Wi-Fi\n'
  dmesg 2>&1 | grep -i 'wlan\|p2p\|rtl\|rtw\|88[0-9][0-9]\|cfg80211\|80211\|regulat\|sdio\|mmc' | tail -n 200

  section "Who manages it"
  processes
  show nmcli general
  show nmcli -f DEVICE,TYPE,STATE device
  show nmcli --version
  grep -rs 'unmanaged-devices\|wifi.backend\|managed=' "$root/etc/NetworkManager"
  show connmanctl technologies
  grep -s 'Blacklist\|PreferredTechnologies' "$root/etc/connman/main.conf"
  show wpa_supplicant -v
  program=$(command -v wpa_supplicant) && for word in P2P_GROUP_ADD WPS_PBC fi.w1.wpa_supplicant1 CTRL-EVENT; do
    printf '%s in %s: %s\n' "$word" "$program" "$(grep -c "$word" "$program")"
  done
  # Of its configuration only lines that hold no secret.
  grep -s '^ *\(ctrl_interface\|update_config\|ap_scan\|country\|p2p_[a-z_]*\|driver_param\|device_[a-z]*\|config_methods\)=' "$root"/etc/wpa_supplicant*.conf "$root"/etc/wpa_supplicant/*.conf
  for control in "$root/run/wpa_supplicant" "$root/var/run/wpa_supplicant" "$root/tmp/wpa_supplicant" "$root/dev/socket" "$run/control"; do
    [ -d "$control" ] && show ls -la "$control"
  done

  section "Our own"
  if [ -x "$here/officeos-radio" ] || [ -f "$here/officeos-radio" ]; then show sh "$here/officeos-radio" list; fi
  [ -f "$here/wpa_supplicant" ] && show "$here/wpa_supplicant" -v
  for book in "$run"/taken/*; do
    [ -d "$book" ] || continue
    values "$book/done" "$book/supplicant.conf" "$book/supplicant.out"
    printf '\n$ tail %s\n' "$book/supplicant.log"
    tail -n 300 "$book/supplicant.log"
  done
  for log in "$here"/*.log; do
    if [ -f "$log" ]; then
      printf '\n$ tail %s\n' "$log"
      tail -n 400 "$log"
    fi
  done
  [ -z "$try" ] || attempt
}

# Takes the interface, and asks driver and air through our own supplicant.
attempt() {
  section "Taking $try"
  read -r began _ < /proc/uptime
  show sh "$here/officeos-radio" take "$try"
  read -r ended _ < /proc/uptime
  echo "from $began to $ended seconds of uptime"
  if [ -x "$here/wpa_cli" ] && [ -e "$run/control/$try" ]; then
    ask() { show "$here/wpa_cli" -p "$run/control" -i "$try" "$@"; }
    ask status
    ask driver_flags
    ask get_capability modes
    ask get_capability channels
    ask p2p_find 10
    # The time that looking takes, and no event to wait for.
    sleep 11
    ask p2p_peers
    for peer in $(bounded "$here/wpa_cli" -p "$run/control" -i "$try" p2p_peers 2>/dev/null); do
      # Neighbours' devices are not ours to write down; a laptop of ours says what it is.
      bounded "$here/wpa_cli" -p "$run/control" -i "$try" p2p_peer "$peer" 2>/dev/null \
        | grep "^$peer\\|^model_name=OfficeOS\\|^config_methods=\\|^level=\\|^listen_freq=\\|^oper_freq=\\|^group_capab="
    done
    ask scan
    sleep 5
    ask scan_results
    ask status
  else
    echo "(no wpa_cli beside this script, or no control socket)"
  fi
  tail -n 300 "$run/taken/$try/supplicant.log" 2>/dev/null
  show sh "$here/officeos-radio" give "$try"
  show ip -o link
  show ip -o addr
  processes
}

# Names of networks, wherever the system says them as such.
names() {
  {
    for iface in $(wireless); do iw dev "$iface" info; iw dev "$iface" link; done
    cat "$raw/all"
  } 2>/dev/null | sed -n 's/^[[:space:]]*ssid \(.*\)/\1/p; s/^[[:space:]]*SSID: \(.*\)/\1/p; s/.*[sS][sS][iI][dD][:= ]*"\([^"]*\)".*/\1/p; s/.*[sS][sS][iI][dD][:= ]*'"'\(.*\)'"'.*/\1/p'
  sed -n 's/^[[:space:]]*ssid="\(.*\)"/\1/p' "$root"/etc/wpa_supplicant*.conf "$root"/etc/wpa_supplicant/*.conf 2>/dev/null
  nmcli -g NAME connection 2>/dev/null
  nmcli -g SSID device wifi list --rescan no 2>/dev/null
  connmanctl services 2>/dev/null | sed 's/^....//; s/ *[a-z]*_[0-9a-f]*_.*//'
  # The last column of a supplicant's results.
  sed -n 's/^[0-9a-f:]\{17\}\t[0-9]*\t-[0-9]*\t[^\t]*\t//p' "$raw/all"
}

# One word for each secret, the same wherever it stands.
clean() {
  awk -v names="$raw/names" '
    function hidden(text) {
      if (!(text in known)) known[text] = ++count
      return (index(text, "DIRECT-") == 1 ? "DIRECT-" : "") "(network " known[text] ")"
    }
    function replaced(line, old, new,   out, at) {
      out = ""
      while (at = index(line, old)) {
        out = out substr(line, 1, at - 1) new
        line = substr(line, at + length(old))
      }
      return out line
    }
    BEGIN {
      while ((getline name < names) > 0) if (length(name) > 2 && !(name in known)) { list[++total] = name; hidden(name) }
      # Longer ones first, since one may be the beginning of another.
      for (i = 1; i <= total; i++) for (j = i + 1; j <= total; j++)
        if (length(list[j]) > length(list[i])) { name = list[i]; list[i] = list[j]; list[j] = name }
      # Not every awk counts repetitions.
      hex = "[0-9a-fA-F][0-9a-fA-F]"
      for (i = 0; i < 32; i++) key = key hex
      address = hex "[:-]" hex "[:-]" hex "[:-]" hex "[:-]" hex "[:-]" hex
    }
    {
      line = $0
      if (match(tolower(line), /(psk|passphrase|password|passwd|wep_key[0-9]?|secret|[^a-z]pin)[a-z_]*["\047)]?[ \t]*[=:]/))
        line = substr(line, 1, RSTART + RLENGTH - 1) "(removed)"
      for (i = 1; i <= total; i++) line = replaced(line, list[i], hidden(list[i]))
      # Those, too, that are too short to be looked for, where it is plain that they are names.
      if (match(line, /^[ \t]*(ssid|SSID:) /)) line = substr(line, 1, RLENGTH) (line ~ /\(network/ ? substr(line, RLENGTH + 1) : "(network)")
      if (match(line, /[sS][sS][iI][dD][:= ]*["\047]/)) {
        quote = substr(line, RSTART + RLENGTH - 1, 1)
        rest = substr(line, RSTART + RLENGTH)
        # A name may hold the quote itself: all up to the last one goes.
        for (at = length(rest); at > 0 && substr(rest, at, 1) != quote; at--) continue
        if (at > 0 && index(rest, "(network") == 0) line = substr(line, 1, RSTART + RLENGTH - 1) hidden(substr(rest, 1, at - 1)) substr(rest, at)
      }
      gsub(key, "(key)", line)
      # The end of a hardware address is also in the addresses that are made of it, and those of a provider name a person.
      gsub(/ff:fe[0-9a-f][0-9a-f]:[0-9a-f]+/, "ff:fe(end)", line)
      while (match(line, /(^|[^0-9a-f:])[23][0-9a-f][0-9a-f][0-9a-f]:[0-9a-f:]+/))
        line = substr(line, 1, RSTART - (RSTART == 1)) (RSTART > 1 ? "" : " ") "(global address)" substr(line, RSTART + RLENGTH)
      out = ""
      while (match(line, address)) {
        tail = tolower(substr(line, RSTART + 9, 8))
        if (tail != "00:00:00" && tail != "ff:ff:ff") {
          if (!(tail in tails)) tails[tail] = ++addresses
          tail = "(" tails[tail] ")"
        }
        out = out substr(line, 1, RSTART + 8) tail
        line = substr(line, RSTART + RLENGTH)
      }
      print out line
    }' "$raw/all"
}

collect > "$raw/all" 2>&1
names > "$raw/names" 2>/dev/null
umask 022
clean > "$report" || { rm -f "$report"; echo "The report could not be cleaned, so nothing was written." >&2; exit 1; }
sync
echo "$report"
