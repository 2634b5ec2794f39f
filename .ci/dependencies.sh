#!/usr/bin/env bash
# What may be in the trees, and why not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

broken=0
tree() { cargo tree --locked -p "$1" -e normal,build --prefix none --format '{p}' --all-features | cut -d' ' -f1 | sort -u; }
# ban PACKAGE REASON CRATE...
ban() {
  local package=$1 reason=$2; shift 2
  local found crate
  found=$(tree "$package")
  for crate; do
    if grep -qxE "$crate" <<<"$found"; then
      printf 'dependency rule broken: %s must not contain %s: %s\n' "$package" "$crate" "$reason"
      broken=1
    fi
  done
}

for package in shared-proto handheld laptop; do
  ban "$package" "one runtime, and it is smol or none" tokio async-std
  ban "$package" "one cryptography provider, and it is ring" 'aws-lc(-rs|-sys)?' openssl openssl-sys native-tls
  ban "$package" "unmaintained (RUSTSEC-2025-0141, -2023-0089, -2026-0192)" bincode atomic-polyfill ttf-parser
done
ban handheld "the handheld cannot speak HTTP" ureq hyper reqwest isahc curl curl-sys http httparse h2 attohttpc minreq tungstenite
ban handheld "the handheld cannot ask DNS" 'hickory-.*' 'trust-dns-.*' c-ares dns-lookup
ban handheld "the handheld trusts one laptop, not the world's certificate authorities" webpki-roots rustls-native-certs rustls-platform-verifier
ban laptop "the daemon and its services are blocking" smol async-io

allowed='MIT|Apache-2\.0|Apache-2\.0 WITH LLVM-exception|BSD-2-Clause|BSD-3-Clause|ISC|Zlib|0BSD|MIT-0|BSL-1\.0|Unicode-3\.0|CDLA-Permissive-2\.0|IJG|Unlicense|CC0-1\.0'
while IFS='|' read -r crate licence; do
  # An expression passes where one of its alternatives holds only allowed licences.
  ok=0
  while IFS= read -r choice; do
    choice=${choice//[()]/}
    bad=0
    while IFS= read -r part; do
      part=$(sed 's/^ *//; s/ *$//' <<<"$part")
      grep -qxE "$allowed" <<<"$part" || bad=1
    done < <(sed 's/ AND /\n/g' <<<"$choice")
    [ "$bad" = 0 ] && ok=1
  done < <(sed 's/ OR /\n/g; s#/#\n#g' <<<"$licence")
  if [ "$ok" = 0 ]; then printf 'licence rule broken: %s is under %s\n' "$crate" "${licence:-nothing stated}"; broken=1; fi
done < <(cargo tree --locked --workspace -e normal,build --prefix none --all-features --format '{p}|{l}' \
  | sed 's/ (\*)$//; s/ v[^|]*|/|/' | grep '|' | sort -u)
exit "$broken"
