# Sourced behind setup.sh: a handheld with its firmware, made up in a temporary folder that goes at the end. The caller sets `shell`.

work=$(mktemp -d)
trap 'stop_all; rm -rf "$work"' EXIT
stop_all() {
  local process
  [ -n "${OFFICEOS_ROOT:-}" ] || return 0
  for process in "$OFFICEOS_ROOT"/proc/[0-9]*; do
    # A number may be another process's by now.
    if grep -qF -- "$OFFICEOS_ROOT" "$process/cmdline" 2> /dev/null; then kill -9 "${process##*/}"; fi
  done
}

# --- a handheld

# made_up: a fresh one, with two interfaces and nothing that runs.
made_up() {
  stop_all
  OFFICEOS_ROOT=$work/$((++count))
  mkdir -p "$OFFICEOS_ROOT"/{bin,card,proc,run/dhcpcd,units} "$OFFICEOS_ROOT"/sys/class/net/{wlan0,wlan1}/phy80211 "$OFFICEOS_ROOT/sys/class/net/usb0"
  echo 0x1003 | tee "$OFFICEOS_ROOT"/sys/class/net/{wlan0,wlan1,usb0}/flags > /dev/null
  mkdir -p "$OFFICEOS_ROOT"/proc/sys/net/ipv6/conf/{wlan0,wlan1}
  echo 0 | tee "$OFFICEOS_ROOT"/proc/sys/net/ipv6/conf/{wlan0,wlan1}/{addr_gen_mode,disable_ipv6} > /dev/null
  : > "$OFFICEOS_ROOT/addresses"; : > "$OFFICEOS_ROOT/routes"
  mkfifo "$OFFICEOS_ROOT/never"
  local name
  for name in wpa_supplicant connmand iwd udhcpc dhcpcd nmcli connmanctl systemctl ip iw; do cp tests/firmware/fake "$OFFICEOS_ROOT/bin/$name"; done
  PATH=$OFFICEOS_ROOT/bin:$plain_path
  # Busybox's own small tools, too, as a handheld has them.
  case "$shell" in busybox*) PATH=$OFFICEOS_ROOT/bin:$work/busybox:$plain_path ;; esac
  export OFFICEOS_ROOT PATH
  unset OFFICEOS_CRASH OFFICEOS_UNIT
}
plain_path=$PATH count=0 setsid=$(command -v setsid)
mkdir "$work/busybox"
busybox --install -s "$work/busybox"

# firmware COMMAND...: a daemon of the firmware's; its number is in $started.
firmware() {
  rm -f "$OFFICEOS_ROOT/started"
  # Not this shell's child, so that it says nothing when that is killed.
  (cd "$OFFICEOS_ROOT" && "$setsid" --fork "$@" > /dev/null 2>&1)
  until [ -s "$OFFICEOS_ROOT/started" ]; do :; done
  started=$(cat "$OFFICEOS_ROOT/started")
}
# Everything that runs, and everything that the firmware may have set.
state() {
  local process
  for process in "$OFFICEOS_ROOT"/proc/[0-9]*; do
    # The words behind the interpreter; the program by its name.
    [ -e "$process/cmdline" ] && tr '\0' ' ' 2> /dev/null < "$process/cmdline" | sed 's|^[^ ]* [^ ]*/||; s/ $//' && echo
  done | grep . | sort
  [ ! -e "$OFFICEOS_ROOT/nm" ] || echo "managed: $(sort "$OFFICEOS_ROOT/nm" | xargs)"
  echo "dhcpcd: $(ls "$OFFICEOS_ROOT/run/dhcpcd")"
  echo "addresses: $(xargs < "$OFFICEOS_ROOT/addresses") routes: $(xargs < "$OFFICEOS_ROOT/routes")"
  grep -H . "$OFFICEOS_ROOT"/sys/class/net/*/flags "$OFFICEOS_ROOT"/proc/sys/net/ipv6/conf/*/* | sed 's|.*net/||'
}
