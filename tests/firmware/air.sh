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
# holds WHAT COMMAND...; within SECONDS WHAT COMMAND...: it becomes so, and nothing waits longer than that; a busy host gets a minute
holds() { local what=$1; shift; if "$@" > /tmp/said 2>&1; then say "  $what"; else wrong "$what"; cat /tmp/said; fi; }
within() {
  local end=$((SECONDS + ($1 < 60 ? 60 : $1))) what=$2; shift 2
  until "$@" > /tmp/said 2>&1; do
    if [ "$SECONDS" -ge "$end" ]; then cp /run/*.log /host/out/ 2> /dev/null; wrong "$what"; cat /tmp/said; return 1; fi
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
running() { local process; for process in /proc/[0-9]*; do if tr '\0' ' ' 2> /dev/null < "$process/cmdline" | grep -q -- "$1"; then return 0; fi; done; return 1; }
refuses() { ! "$@"; }
says() {
  local words=$1 said; shift
  said=$("$@" 2>&1)
  printf '%s\n' "$said"
  [[ $said == *"$words"* ]]
}

# --- the air: a radio here, and one in each of three other places

at() { ip netns exec "$@"; }
phy_of() { basename "$(readlink "/sys/class/net/$1/phy80211")"; }
# air SUPPORT: with an interface apart for Wi-Fi Direct (1), as most laptops have, or without (0), as Realtek's handhelds
air() {
  local number=1 place
  for place in wpa_supplicant hostapd udhcpd dhcpcd; do end "$place" && within 5 "no $place of before" refuses running "$place"; done
  for place in laptop router other; do ip netns del "$place" 2> /dev/null; done
  rmmod mac80211_hwsim 2> /dev/null
  modprobe mac80211_hwsim radios=4 support_p2p_device="$1"
  for place in laptop router other; do
    ip netns add "$place"
    ip -n "$place" link set lo up
    iw phy "$(phy_of "wlan$number")" set netns name "$place"
    ip -n "$place" link set "wlan$number" name radio0
    number=$((number + 1))
  done
}
for module in ccm ctr cmac gcm ecb arc4; do modprobe "$module" 2> /dev/null; done

# The home's router. On channel 1, as the laptop's group: a radio serves one channel at a time.
start_router() {
  mkdir -p /run/udhcpd
  cat > /run/hostapd.conf << 'C'
interface=radio0
ssid=home
hw_mode=g
channel=1
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_passphrase=secret-at-home
C
  cat > /run/udhcpd.conf << 'C'
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
  : > /run/udhcpd/leases
  at router busybox udhcpd /run/udhcpd.conf
}

# A laptop elsewhere: Debian's supplicant and an autonomous group of its own.
laptop() { at laptop wpa_cli -p /run/laptop "$@"; }
group_is_up() { group=$(at laptop iw dev | sed -n 's/.*Interface \(p2p-.*\)/\1/p'); [ -n "$group" ]; }
start_group() {
  local block
  at laptop wpa_supplicant -B -s -O /run/laptop -i radio0 -D nl80211 -C /run/laptop > /run/laptop.log 2>&1
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

# The system bus, and udev for those who ask it whether an interface is ready.
start_system() {
  [ ! -e /run/dbus/pid ] || return 0
  mkdir -p /etc/dbus-1/system.d /run/dbus /run/udev /var/lib/dbus /var/lib/NetworkManager /etc/NetworkManager
  dbus-uuidgen --ensure=/etc/machine-id
  dbus-daemon --system --fork || wrong "no bus"
  /usr/lib/systemd/systemd-udevd --daemon 2> /dev/null
}
start_networkmanager() {
  start_system
  udevadm trigger --action=add --subsystem-match=net
  udevadm settle
  # As Debian's unit starts it.
  wpa_supplicant -B -u -t -f /run/system-supplicant.log -O "DIR=/run/wpa_supplicant GROUP=netdev"
  NetworkManager --log-level=INFO > /run/networkmanager.log 2>&1
  within 10 "NetworkManager runs" says running nmcli -t -f RUNNING general
  within 10 "and knows the radio" says wlan0 nmcli -t -f DEVICE,STATE device
}
stop_networkmanager() {
  end NetworkManager
  within 10 "NetworkManager has ended" refuses running NetworkManager
  rm -f /etc/NetworkManager/system-connections/*
}
sees_home() { nmcli -t -f SSID device wifi list --rescan yes ifname wlan0 | grep -x home; }

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

printf 'network={\n  ssid="home"\n  psk="secret-at-home"\n}\n' > /run/home.conf

bare_supplicant() { # muOS: a supplicant without a control socket, dhcpcd, root
  air 0
  start_router
  start_group
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
  air 0
  start_router
  start_group
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

managed_handheld() { # stock firmware: NetworkManager
  air 0
  start_router
  start_group
  start_networkmanager
  within 20 "it sees home" sees_home || return
  holds "it joins home" nmcli device wifi connect home password secret-at-home ifname wlan0
  within 20 "the firmware's connection is up" at_home wlan0 || return
  holds "take" "$radio" take wlan0
  holds "NetworkManager leaves it alone" says unmanaged nmcli -g GENERAL.STATE device show wlan0
  join_by_button wlan0
  ours wlan0 p2p_group_remove "$joined" > /dev/null
  join_as_station wlan0
  holds "give" "$radio" give wlan0
  within 30 "the firmware's connection is back" at_home wlan0
  stop_networkmanager
}

field_test() { # the report of a handheld that is at home, with a try
  air 0
  start_router
  start_group
  wpa_supplicant -B -i wlan0 -c /run/home.conf -D nl80211 > /run/muos.log 2>&1
  dhcpcd -w -q wlan0 > /dev/null 2>&1
  within 20 "the firmware's connection is up" at_home wlan0 || return
  local report word
  report=$(/bin/sh /host/bin/card/field-test.sh --try wlan0 /host/out) || wrong "no report"
  for word in '"home"' 'ssid home' 'SSID: home' secret-at-home abcd2345efgh xy-laptop; do holds "$word is not in it" refuses grep -F -- "$word" "$report"; done
  for word in 'type managed' 'P2P-client' 'Our wpa_supplicant drives wlan0' p2p_device_address= listen_freq=2412 'DIRECT-(network' 'wlan0 is back as it was'; do
    holds "$word is in it" grep -F -m 1 -- "$word" "$report"
  done
  within 20 "the firmware's connection is back" at_home wlan0
  dhcpcd -q -x wlan0 > /dev/null 2>&1
  end /run/home.conf
}

# The owner of a laptop as Debian's installer leaves her: in the group netdev, with nothing of root's.
ada() { setpriv --reuid=1000 --regid=1000 --groups=108 env HOME=/home/ada "$@"; }
own_group_is_up() { own_group=$(iw dev | sed -n 's/.*Interface \(p2p-wlan0-.*\)/\1/p'); [ -n "$own_group" ] && iw dev "$own_group" info | grep -q 'type P2P-GO'; }
own_group_is_gone() { ! own_group_is_up; }
state_of_the_supplicant() {
  local name
  wpa_cli -p /run/wpa_supplicant -i wlan0 list_networks | tail -n +2 | cut -f 2-
  for name in device_name model_name p2p_intra_bss; do echo "$name: $(wpa_cli -p /run/wpa_supplicant -i wlan0 get "$name")"; done
  iw dev | grep Interface | sort
}
start_daemon() {
  (exec setpriv --reuid=1000 --regid=1000 --groups=108 env HOME=/home/ada /host/bin/laptop-daemon --standalone --home /home/ada/officeos >> /run/daemon.log 2>&1) &
  daemon=$!
}
listens() { ss -tln 2> /dev/null | grep -q ":8144" || grep -q ":1FD0 " /proc/net/tcp6; }
guest_is_in() { at other wpa_cli -p /run/other -i radio0 status | grep -x wpa_state=COMPLETED; }
guest_reaches() { at other busybox nc -w 2 "$own_address%radio0" 8144 < /dev/null || at other ping -6 -c 1 -W 1 "$own_address%radio0"; }
guest_connects() { at other busybox nc -w 2 "$own_address%radio0" 8144 < /dev/null; }
check_radio() { "$@" /host/bin/laptop-daemon --home /home/ada/officeos --test-p2p; }
# What the check says to type, typed.
mend() {
  local line
  # The check ends with what it found, and what it says is wanted here.
  line=$(check_radio "$@" 2>&1 | sed -n 's/^ *do: \(sudo .*\)/\1/p')
  [ -n "$line" ] || return
  printf '%s\n' "$line"
  (sudo() { "$@"; }; eval "$line")
}
make_ufw() { # as its package does when it is installed
  cp -n /usr/share/ufw/iptables/*.rules /usr/share/ufw/*.init /usr/share/ufw/ufw.conf /etc/ufw/
  chmod 640 /etc/ufw/*.rules
  [ -e /bin/echo ] || ln -s busybox /bin/echo
  for tool in iptables ip6tables; do
    for form in '' -save -restore; do ln -sf xtables-nft-multi "/usr/sbin/$tool$form"; done
  done
  ufw --force enable
}
# one NAME: on, it keeps handhelds out, is named, and what is said mends it
barrier() {
  within 10 "$1 keeps handhelds out" refuses guest_connects
  holds "$1 is named to whoever may read its rules" says "$1 keeps" check_radio env HOME=/root
  holds "and to the owner, who may not" says "$1" check_radio ada
  grep -i "$1" /tmp/said
  holds "what is said is typed" mend env HOME=/root
  within 10 "and lets handhelds in" guest_connects
  holds "$1 is no longer named" refuses says "$1 keeps" check_radio env HOME=/root
}
firewalls() { # unmodified, one after the other
  holds "ufw is on" make_ufw || return
  barrier ufw
  holds "ufw is off" ufw --force disable
  # In the control group that systemd gives it, by which its running is known.
  mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
  mkdir -p /sys/fs/cgroup/system.slice/firewalld.service
  (echo 0 > /sys/fs/cgroup/system.slice/firewalld.service/cgroup.procs; exec firewalld --nofork --nopid) > /run/firewalld.log 2>&1 &
  within 60 "firewalld is on" firewall-cmd --state || return
  barrier firewalld
  end firewalld
  within 20 "firewalld is off" refuses running firewalld
}

networkmanager_laptop() { # a stock Debian laptop on its router: the group comes beside, and everything is put back
  air 1
  start_router
  start_networkmanager
  within 20 "it sees home" sees_home || return
  holds "it joins home" nmcli device wifi connect home password secret-at-home ifname wlan0
  within 20 "the laptop is on its router" at_home wlan0 || return
  local before
  before=$(state_of_the_supplicant)
  mkdir -p /home/ada/officeos && chown -R 1000:1000 /home/ada
  holds "what NetworkManager does to groups is said" says "removes every Wi-Fi Direct group" ada /host/bin/laptop-daemon --home /home/ada/officeos --test-p2p
  cp /host/bin/card/officeos-wifi-direct.conf /etc/dbus-1/system.d/
  start_daemon
  within 30 "link-service's group is up beside it" own_group_is_up || { tail -n 20 /run/daemon.log; return; }
  within 5 "and listens" listens
  holds "the laptop stays on its router" at_home wlan0
  holds "NetworkManager still manages the router's connection" says connected nmcli -g GENERAL.STATE device show wlan0
  holds "the owner reads what is needed" ada /host/bin/laptop-daemon --home /home/ada/officeos --test-p2p
  cat /tmp/said
  holds "and the group is still there" own_group_is_up
  own_address=$(ip -6 -o addr show dev "$own_group" | sed -n 's/.* inet6 \(fe80[^/]*\).*/\1/p')
  # A handheld as an ordinary station, with the passphrase from the laptop's screen.
  local ssid passphrase
  ssid=$(sed -n "s/^ssid *= *[\"']\(.*\)[\"']/\1/p" /home/ada/officeos/state/group.toml)
  passphrase=$(sed -n "s/^passphrase *= *[\"']\(.*\)[\"']/\1/p" /home/ada/officeos/state/group.toml)
  printf 'ctrl_interface=/run/other\nnetwork={\nssid="%s"\npsk="%s"\n}\n' "$ssid" "$passphrase" > /run/other.conf
  at other /host/bin/card/wpa_supplicant -B -i radio0 -D nl80211 -c /run/other.conf > /run/other.log 2>&1
  within 20 "a handheld joins" guest_is_in
  within 5 "and reaches the laptop" guest_reaches
  holds "the laptop stays on its router meanwhile" at_home wlan0
  firewalls
  holds "NetworkManager gives the group nothing" [ -z "$(address "$own_group")" ]
  nmcli -f DEVICE,TYPE,STATE device
  kill "$daemon"
  within 15 "it ends when it is told" refuses running laptop-daemon
  within 5 "the group is gone" own_group_is_gone
  holds "the laptop stays on its router after it" at_home wlan0
  within 5 "everything is put back" put_back "$before" || { echo "$before"; echo ---; state_of_the_supplicant; }
  # Killed: nothing can be put back then, and the next start finds what was left.
  start_daemon
  within 30 "the group is up again" own_group_is_up
  end -9 link-service
  end -9 laptop-daemon
  within 5 "they are dead" refuses running laptop-daemon
  end /host/bin/
  start_daemon
  within 30 "one group after a kill" own_group_is_up
  within 10 "and it listens" listens
  holds "one, and not two" [ "$(iw dev | grep -c 'type P2P-GO')" = 1 ]
  kill "$daemon"
  within 15 "it ends when it is told" refuses running laptop-daemon
  within 5 "everything is put back after a kill" put_back "$before"
  holds "the laptop is still on its router" at_home wlan0
  stop_networkmanager
}
put_back() { [ "$(state_of_the_supplicant)" = "$1" ]; }

[ $# != 0 ] || set -- bare_supplicant second_interface managed_handheld field_test networkmanager_laptop
for scenario; do
  say "$scenario"
  "$scenario"
done
[ $failures = 0 ] && say "All of it holds: $*"
cp /run/*.log /host/out/ 2> /dev/null
exit $((failures > 0))
