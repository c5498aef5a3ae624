#!/bin/sh
# Publishes with curl: examples/publish.sh TOPIC JSON [BROKER_HTTP_URL...]
# The same key and body at every try make one message of them, whichever broker takes it; HERALD_PUBLISH_TOKEN is the
# token of brokers beyond this machine. Where the brokers are: curl http://127.0.0.1:7401/v1/brokers
set -eu
topic=$1
json=$2
shift 2
[ $# -gt 0 ] || set -- http://127.0.0.1:7450 http://127.0.0.1:7451
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

for attempt in 1 2 3; do
  for broker; do
    answer=$(curl -sS -m 15 -w '\n%{http_code}' "$broker/v1/publish" \
      -H 'content-type: application/json' -H "idempotency-key: $key" \
      -H "authorization: Bearer ${HERALD_PUBLISH_TOKEN:-none}" \
      -d "{\"topic\":\"$topic\",\"data\":$json}") || continue
    case $answer in
      *202) exit 0 ;;
      # Wrong in itself, so it would be wrong again.
      *4??) echo "$answer" >&2 && exit 1 ;;
    esac
  done
  sleep "$attempt"
done
echo "no broker took it: ${answer:-none answers}" >&2
exit 1
