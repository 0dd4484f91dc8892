#!/usr/bin/env bash
# Does the gateway's memory stay flat while a gibibyte passes down and up?
#
#   cargo build --release && bench/bodies/measure.sh
#
# Prints resident memory before, and its peak after each. Needs curl, node and Linux's /proc.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'kill "$upstream" "$gateway" 2>/dev/null || true; rm -rf "$work"' EXIT

cat >"$work/upstream.mjs" <<'NODE'
import { createServer } from 'node:http';
const piece = Buffer.alloc(65536);
const server = createServer((request, response) => {
  if (request.method === 'GET') {
    let left = 16384;
    const write = () => {
      while (left > 0) {
        left -= 1;
        if (!response.write(piece)) return response.once('drain', write);
      }
      response.end();
    };
    write();
  } else {
    let bytes = 0;
    request.on('data', (data) => (bytes += data.length));
    request.on('end', () => response.end(`${bytes}\n`));
  }
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
NODE
node "$work/upstream.mjs" >"$work/port" &
upstream=$!
until [[ -s $work/port ]]; do sleep 0.1; done

target/release/nextbnb-gateway serve --port 0 --host 127.0.0.1 --state-dir "$work/state" \
    --upstream "http://127.0.0.1:$(<"$work/port")" 2>"$work/log" &
gateway=$!
until grep -q 'serving on' "$work/log"; do sleep 0.1; done
url=$(grep -o 'http://127[^ ]*' "$work/log" | head -1)

memory() { awk -v what="$1" '/VmRSS|VmHWM/ { printf "%s %s kB  ", $1, $2 } END { print what }' "/proc/$gateway/status"; }
memory 'at start'
curl --silent --fail "$url/" | wc -c
memory 'after 1 GiB down'
head -c 1G /dev/zero | curl --silent --fail --upload-file - "$url/"
memory 'after 1 GiB up'
