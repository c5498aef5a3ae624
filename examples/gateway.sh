#!/bin/sh
# A shell script as a gateway: reports the load of a WebSocket server that knows nothing of Herald.
#   examples/gateway.sh GATEWAY_ID WS_URL [HERALD_CONTROL_URL]
# Load here is the machine's load average over its cores, and connections are counted by `ss`; put in its place
# whatever tells how busy your server is. Five required fields make a report, the rest is optional; a pool of its own
# keeps away clients of the gateways of `npm start`, who speak another protocol.
set -eu
gateway=$1
url=$2
herald=${3:-http://127.0.0.1:7401}
port=$(printf '%s' "$url" | sed -n 's|^wss\{0,1\}://[^/]*:\([0-9]*\).*|\1|p')
cores=$(getconf _NPROCESSORS_ONLN)
boot=$(date +%s)
seq=0

goodbye() {
  curl -fsS -m 2 -X DELETE "$herald/v1/feedback/$gateway" || true
  exit 0
}
trap goodbye INT TERM

while :; do
  seq=$((seq + 1))
  cpu=$(awk -v cores="$cores" '{ printf "%.3f", $1 / cores }' /proc/loadavg)
  connections=$(ss -Htn state established "sport = :${port:-80}" 2>/dev/null | wc -l || echo 0)
  curl -fsS -m 2 -o /dev/null "$herald/v1/feedback" -H 'content-type: application/json' -d "{
    \"v\": 1, \"gateway\": \"$gateway\", \"url\": \"$url\", \"bootId\": \"$boot\", \"seq\": $seq,
    \"periodMs\": 1000, \"pool\": \"own\", \"cpu\": $cpu, \"connections\": $connections
  }" || echo "Herald did not take report $seq" >&2
  sleep 1 &
  wait $!
done
