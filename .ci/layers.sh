#!/usr/bin/env bash
# Who may name whom (ARCHITECTURE.md, "Import rules"). Prints each line that breaks a rule.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

broken=0
# forbid RULE PATTERN PATH...: no source line below PATH may match PATTERN. Tests are free.
forbid() {
  local rule=$1 pattern=$2; shift 2
  local hits
  # Tests inside a file stand at its end, behind #[cfg(test)].
  hits=$(find "$@" -name '*.rs' -exec awk 'FNR == 1 { tests = 0 } before == "#[cfg(test)]" && /^mod [a-z_]+ \{/ { tests = 1 }
      !tests { print FILENAME ":" FNR ":" $0 } { before = $0 }' {} + | grep -E -- "^[^:]*:[0-9]+:.*($pattern)" \
    | grep -vE '(^|/)(tests?|[a-z_]*_tests?|testing)(\.rs|/)' | grep -vE ':[0-9]+: *//' || true)
  [ -z "$hits" ] && return 0
  printf 'layer rule broken: %s\n%s\n' "$rule" "$hits"
  broken=1
}

io='std::(net::(Tcp|Udp|To)|fs|thread|process|os)|std::time::(Instant|SystemTime)|smol|nix::'
forbid "shared-proto names no sibling, runtime, logger, file, socket or clock" \
  'extern crate (handheld|laptop)|smol|tokio|log::|std::(fs|net|thread|process|time)' shared-proto/src
if sed '/^\[dev-dependencies\]/,$d' handheld/Cargo.toml | grep -q '^laptop' || sed '/^\[dev-dependencies\]/,$d' laptop/Cargo.toml | grep -q '^handheld'; then
  printf 'layer rule broken: the binaries never depend on each other\n'
  broken=1
fi
forbid "app does not know ui, link, card, platform or runtime" 'crate::(ui|link|card|platform|runtime)' handheld/src/app
forbid "app is pure" "$io|sdl2|evdev" handheld/src/app
forbid "ui only reads the model" 'crate::(link|card|platform|runtime)|&mut Model' handheld/src/ui
forbid "ui is pure" 'std::(net|thread|process|fs)|smol|nix::|sdl2|evdev' handheld/src/ui
forbid "input and entry know neither app nor ui" 'crate::(app|ui|link|card|platform|runtime)' handheld/src/input handheld/src/entry
forbid "input and entry are pure" "$io|sdl2|evdev::" handheld/src/input handheld/src/entry
forbid "card knows neither app nor ui" 'crate::(app|ui|link|platform|runtime)' handheld/src/card
forbid "platform knows only buttons and pixels" 'crate::(app|link|card|lock|entry|runtime)' handheld/src/platform
forbid "link knows neither ui nor buttons" 'crate::(ui|entry|input|platform|runtime)' handheld/src/link
forbid "the radio machine is pure and knows what the app knows, no more" "$io|sdl2|evdev|wpactrl|crate::(ui|link|card|platform|runtime|entry|lock)" handheld/src/radio
forbid "only the broker talks to wpa_supplicant" 'wpactrl' $(find handheld/src -name '*.rs' -not -path '*/broker/*')
# The audit plays a supplicant before anything is given up; an attempt opens a socket to see it refused.
forbid "only the broker opens sockets" 'Tcp(Stream::connect|Listener)|UdpSocket|UnixStream::connect|UnixDatagram::(bind|unbound)|(^|[^a-z_.])socket(_with)?\(|socket::\{?.*connect' \
  $(find handheld/src -name '*.rs' -not -path '*/broker/*' -not -path '*/confine/attempt.rs' -not -path '*/runtime/audit.rs')
forbid "only link and broker know connections" 'Tcp(Stream|Listener)|smol::net' \
  $(find handheld/src -name '*.rs' -not -path '*/link/*' -not -path '*/broker/*' -not -path '*/confine/attempt.rs')
forbid "the broker knows nothing of the app but what is to be put back" 'crate::(app|ui|link|card|runtime|entry|input|lock)' handheld/src/broker
forbid "the broker's rules and its wire are pure" "$io" handheld/src/broker/rules handheld/src/broker/wire.rs
forbid "only platform names SDL and DRM" 'sdl2::|drm::(control|buffer)' $(find handheld/src -name '*.rs' -not -path '*/platform/*')
forbid "no thread that is woken for nothing: see handheld/src/apart.rs" 'smol::(unblock|fs|process|Unblock)' handheld/src
forbid "no thread of the reactor that looks ten times for each event: see handheld/src/apart.rs" 'smol::block_on' handheld/src
forbid "policy is pure" "$io|crate::(store|hub|daemon|control|service|ipc)" laptop/src/policy
forbid "settings are text in, values and findings out, but for their files" "$io" $(find laptop/src/config -name '*.rs' -not -name file.rs -not -name mod.rs)
forbid "the ledger is pure" "$io|crate::(store|hub|daemon|control|service|ipc)" laptop/src/ledger
forbid "only policy makes a Permit" 'Permit *\{ *relationship' $(find laptop/src -name '*.rs' -not -path '*/policy/*')
forbid "the executor knows neither devices nor connections" 'crate::(store|hub|files|daemon|control|link|config|cli|service)' laptop/src/executor
forbid "the hub knows no connection" 'crate::(daemon|control|link|config|cli|service)' laptop/src/hub
forbid "store and files know nobody above them" 'crate::(hub|executor|daemon|control|link|config|cli|service|ipc)' laptop/src/store laptop/src/files
forbid "the daemon is handed its network" '(TcpStream::connect|TcpListener::bind|UdpSocket)' laptop/src/daemon laptop/src/hub laptop/src/executor \
  laptop/src/store laptop/src/policy laptop/src/files laptop/src/config laptop/src/control laptop/src/cli
forbid "only link talks to wpa_supplicant" 'wpactrl|wpa_ctrl' $(find laptop/src -name '*.rs' -not -path '*/link/*')
forbid "the radio knows neither carriers nor daemons" 'crate::(daemon|hub|store|control|policy)|link::(exchange|handover|wireless|service)|super::super::' laptop/src/link/radio
forbid "the group machine is pure" "$io|wpactrl|super::(supplicant|firewall)" laptop/src/link/radio/group.rs laptop/src/link/radio/group
forbid "web-service is only a client of the control socket" 'crate::(hub|store|policy|executor|daemon|files|llm|picture|fetch)|crate::service::(registry|config|http)' \
  laptop/src/web
forbid "the gateway's wire is pure, and so are its programs and stop words" "$io" laptop/src/web/gateway/wire \
  laptop/src/daemon/gateway/program.rs laptop/src/daemon/gateway/stop.rs laptop/src/daemon/gateway/fault.rs
forbid "services know neither policy nor store" 'crate::(policy|store|hub|daemon|control|executor)' \
  laptop/src/llm laptop/src/picture laptop/src/fetch laptop/src/service laptop/src/ipc
forbid "the agent is a client of the daemon, and the only one of the session bus" 'crate::(hub|store|policy|daemon|config|service|ipc|cli|executor|link)' laptop/src/agent
forbid "only the agent knows the session bus" 'DBUS_SESSION|org\.freedesktop' $(find laptop/src -name '*.rs' -not -path '*/agent/*')
forbid "the agent's core and its wire are pure" "$io" laptop/src/agent/core.rs laptop/src/agent/wire.rs
forbid "only services speak HTTP" 'ureq' laptop/src/daemon laptop/src/hub laptop/src/executor laptop/src/store laptop/src/policy \
  laptop/src/control laptop/src/link laptop/src/files
forbid "the HTTP server knows nothing of what is served" 'crate::(control|config|service)|super::super' laptop/src/web/http
forbid "what reads HTTP is pure, and so is what draws" "$io" laptop/src/web/http/{head,body,reader,reject,request,response,router,form}.rs \
  laptop/src/web/page/{html,plot}.rs
exit "$broken"
