# Runs as root in the simulated air's machine, handed in by tests/firmware/air.
# shellcheck shell=bash disable=SC2317,SC2089,SC2090  # called by name; names and values that wpa_cli takes as words
set -uo pipefail
cd /tmp || exit
radio=/host/bin/card/officeos-radio
folder=/run/officeos-radio/control
failures=0
[ -e /bin/sh ] || ln -s busybox /bin/sh

say() { read -r up _ < /proc/uptime; printf '%8s %s\n' "$up" "$*"; }
wrong() {
  failures=$((failures + 1))
  say "WRONG: $*"
}
# holds WHAT COMMAND...; within SECONDS WHAT COMMAND...: it becomes so
holds() { local what=$1; shift; if "$@" > /tmp/said 2>&1; then say "  $what"; else wrong "$what"; cat /tmp/said; fi; }
within() {
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@" > /tmp/said 2>&1; do
    if [ $SECONDS -ge $end ]; then wrong "$what"; cat /tmp/said; return 1; fi
    sleep 0.1
  done
  say "  $what"
}
# end [-9] PATTERN: the processes whose command line has it
end() {
  local signal=-15 process found=1
  case $1 in -*) signal=$1; shift ;; esac
  for process in /proc/[0-9]*; do
    if tr '\0' ' ' 2> /dev/null < "$process/cmdline" | grep -q -- "$1"; then kill "$signal" "${process##*/}" && found=0; fi
  done
  return "$found"
}
refuses() { ! "$@"; }
says() {
  local words=$1 said; shift
  said=$("$@" 2>&1)
  printf '%s\n' "$said"
  [[ $said == *"$words"* ]]
}

# --- the air: a phy for each namespace

modprobe mac80211_hwsim radios=4 support_p2p_device=0
for module in ccm ctr cmac gcm ecb arc4; do modprobe "$module" 2> /dev/null; done
for place in laptop router other; do
  ip netns add "$place"
  ip -n "$place" link set lo up
done
phy_of() { basename "$(readlink "/sys/class/net/$1/phy80211")"; }
iw phy "$(phy_of wlan1)" set netns name laptop
iw phy "$(phy_of wlan2)" set netns name router
iw phy "$(phy_of wlan3)" set netns name other
ip -n laptop link set wlan1 name radio0
ip -n router link set wlan2 name radio0
ip -n other link set wlan3 name radio0
at() { ip netns exec "$@"; }

# The home's router, on the laptop's channel: a radio serves one channel at a time.
mkdir -p /run/udhcpd
cat > /run/hostapd.conf <<'C'
interface=radio0
ssid=home
hw_mode=g
channel=1
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_passphrase=secret-at-home
C
cat > /run/udhcpd.conf <<'C'
start 192.168.7.10
end 192.168.7.50
interface radio0
lease_file /run/udhcpd/leases
pidfile /run/udhcpd/pid
option subnet 255.255.255.0
option router 192.168.7.1
C
ip -n router addr add 192.168.7.1/24 dev radio0
at router hostapd -B /run/hostapd.conf > /run/hostapd.log 2>&1 || wrong "no router: $(cat /run/hostapd.log)"
touch /run/udhcpd/leases
at router busybox udhcpd /run/udhcpd.conf

# The laptop: Debian's supplicant and an autonomous group of its own.
at laptop wpa_supplicant -B -s -O /run/laptop -i radio0 -D nl80211 -C /run/laptop > /run/laptop.log 2>&1
laptop() { at laptop wpa_cli -p /run/laptop "$@"; }
group_is_up() { group=$(at laptop iw dev | sed -n 's/.*Interface \(p2p-.*\)/\1/p'); [ -n "$group" ]; }
start_group() {
  local block
  laptop -i radio0 set device_name laptop > /dev/null
  block=$(laptop -i radio0 add_network)
  for setting in 'ssid "DIRECT-xy-laptop"' 'psk "abcd2345efgh"' 'proto RSN' 'key_mgmt WPA-PSK' 'pairwise CCMP' 'mode 3' 'disabled 2'; do
    # shellcheck disable=SC2086  # name and value
    laptop -i radio0 set_network "$block" $setting > /dev/null
  done
  laptop -i radio0 p2p_group_add persistent="$block" freq=2412 > /dev/null
  within 10 "the laptop's group is up" group_is_up
  group_address=$(at laptop ip -6 -o addr show dev "$group" | sed -n 's/.* inet6 \(fe80[^/]*\).*/\1/p')
}

# --- what several scenarios ask

address() { ip -o -4 addr show dev "$1" | sed -n 's/.* inet \([0-9.]*\).*/\1/p'; }
at_home() { [[ $(address "$1") == 192.168.7.* ]] && ping -c 1 -W 1 -I "$1" 192.168.7.1; }
not_at_home() { [ -z "$(address "$1")" ]; }
ours() { wpa_cli -p "$folder" -i "$@"; }
reaches_laptop() { ping -6 -c 1 -W 1 "$group_address%$1"; }
joined='' group='' group_address=''
state_is() { ours "$1" status | grep -x "wpa_state=$2"; }

# join_as_station IFACE: as the app does with a key that it has
join_as_station() {
  local block
  block=$(ours "$1" add_network)
  for setting in 'ssid "DIRECT-xy-laptop"' 'psk "abcd2345efgh"' 'proto RSN' 'key_mgmt WPA-PSK' 'scan_freq 2412' 'freq_list 2412'; do
    # shellcheck disable=SC2086
    ours "$1" set_network "$block" $setting > /dev/null
  done
  ours "$1" select_network "$block" > /dev/null
  within 10 "our static supplicant joins as a station" state_is "$1" COMPLETED
  within 5 "and reaches the laptop" reaches_laptop "$1"
  ours "$1" remove_network all > /dev/null
}
# join_by_button IFACE: a first meeting over Wi-Fi Direct
found() { ours "$1" p2p_peers | grep -i "$(laptop -i radio0 status | sed -n 's/p2p_device_address=//p')"; }
client_is_up() { joined=$(iw dev | sed -n 's/.*Interface \(p2p-'"$1"'-.*\)/\1/p'); [ -n "$joined" ] && state_is "$joined" COMPLETED; }
join_by_button() {
  ours "$1" p2p_find type=social > /dev/null
  within 10 "our static supplicant finds the laptop" found "$1" || return
  at laptop wpa_cli -p /run/laptop -i "$group" wps_pbc > /dev/null
  ours "$1" p2p_connect "$(found "$1")" pbc join freq=2412 > /dev/null
  within 15 "and joins by the button" client_is_up "$1" || return
  within 5 "and reaches the laptop" reaches_laptop "$joined"
}
interfaces() { ls /sys/class/net; }

# --- scenarios

bare_supplicant() { # muOS: a supplicant without a control socket, dhcpcd, root
  cat > /run/home.conf <<'C'
network={
  ssid="home"
  psk="secret-at-home"
}
C
  wpa_supplicant -dd -B -i wlan0 -c /run/home.conf -D nl80211 > /run/muos.log 2>&1
  dhcpcd -w -q wlan0 > /dev/null 2>&1
  within 20 "the firmware's connection is up" at_home wlan0 || return
  local before
  before=$(interfaces)
  holds "take prints the folder" says "$folder" "$radio" take wlan0
  holds "no address of home stays" not_at_home wlan0
  join_by_button wlan0
  ours wlan0 p2p_group_remove "$joined" > /dev/null
  join_as_station wlan0
  holds "take again changes nothing" says "taken already" "$radio" take wlan0
  end -9 /run/officeos-radio/taken/wlan0 || wrong "ours did not run"
  holds "take after ours was killed" "$radio" take wlan0
  join_as_station wlan0
  holds "give" "$radio" give wlan0
  within 20 "the firmware's connection is back" at_home wlan0
  holds "no interface is left over" [ "$(interfaces)" = "$before" ]
  holds "give again" says "was not taken" "$radio" give wlan0
  dhcpcd -q -x wlan0 > /dev/null 2>&1
  end /run/home.conf
}

second_interface() { # two interfaces of one radio: the firmware keeps its connection on the first
  iw phy "$(phy_of wlan0)" interface add wlan9 type managed
  wpa_supplicant -B -i wlan0 -c /run/home.conf -D nl80211 > /run/muos.log 2>&1
  dhcpcd -w -q wlan0 > /dev/null 2>&1
  within 20 "the firmware's connection is up" at_home wlan0 || return
  holds "take the second" "$radio" take wlan9
  holds "the first stays at home" at_home wlan0
  join_as_station wlan9
  holds "the first stays at home meanwhile" at_home wlan0
  holds "give" "$radio" give wlan9
  holds "the first stays at home after it" at_home wlan0
  holds "the second is down, as it was" refuses grep -q '[13579bdf]$' /sys/class/net/wlan9/flags
  iw dev wlan9 del
  dhcpcd -q -x wlan0 > /dev/null 2>&1
  end /run/home.conf
}

start_group
[ $# != 0 ] || set -- bare_supplicant second_interface
for scenario; do
  say "$scenario"
  "$scenario"
done
[ $failures = 0 ] && say "All of it holds: $*"
exit $((failures > 0))
