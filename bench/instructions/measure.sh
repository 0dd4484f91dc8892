#!/usr/bin/env bash
# How many instructions and system calls does a proxied request cost?
#
#   CARGO_PROFILE_RELEASE_DEBUG=line-tables-only cargo build --release && bench/instructions/measure.sh
#
# One worker, 64 kept connections, a browser's ten fields, an answer of 1 KiB; of a guest, and of
# somebody signed in. Instructions are counted by callgrind (user mode; a busy machine changes nothing),
# system calls by strace. Needs valgrind, strace and node. An argument is another binary; KEEP=FOLDER
# keeps callgrind's files there, for `callgrind_annotate`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=${1:-$here/../../target/release/nextbnb-gateway}
requests=3000 connections=64

work=$(mktemp -d)
upstream='' gateway=''
trap 'kill $upstream $gateway 2>/dev/null || true; rm -rf "$work"' EXIT

node "$here/upstream.mjs" >"$work/port" &
upstream=$!
until [[ -s $work/port ]]; do sleep 0.1; done

# Starts the gateway behind the command in the arguments, and sets `url` and `cookie`.
start() {
    rm -rf "$work/state"
    # One core is one worker.
    taskset --cpu-list 0 "$@" "$binary" serve --port 0 --host 127.0.0.1 --state-dir "$work/state" \
        --upstream "http://127.0.0.1:$(<"$work/port")" >"$work/out" 2>"$work/log" &
    gateway=$!
    until grep -q 'serving on' "$work/log"; do
        kill -0 "$gateway" || { cat "$work/log" >&2; exit 1; }
        sleep 0.2
    done
    url=$(sed -n 's/.*serving on \(http[^ ]*\) .*/\1/p' "$work/log")
    cookie=$(curl --silent --fail --dump-header - --output /dev/null "$url/api/auth/register" \
        --json '{"email":"ada@example.org","password":"correct horse battery","passwordconfirmation":"correct horse battery"}' |
        sed -n 's/^set-cookie: \([^;]*\).*/\1/ip')
}

load() { node "$here/load.mjs" "$url" "$1" "$connections" "${2:-}"; }

stop() {
    kill "$gateway"
    wait "$gateway" || true
    gateway=
}

start valgrind --tool=callgrind --callgrind-out-file="$work/callgrind"
for who in guest session; do
    [[ $who == session ]] && presented=$cookie || presented=
    load 640 "$presented"
    callgrind_control --zero "$gateway" >"$work/control"
    load "$requests" "$presented"
    callgrind_control --dump="$who" "$gateway" >"$work/control"
    file=$(grep -l "^desc: Trigger:.*$who" "$work"/callgrind.*)
    total=$(sed -n 's/^\(totals\|summary\): //p' "$file" | head -1)
    echo "$who: $((total / requests)) instructions a request"
    [[ -z ${KEEP:-} ]] || cp "$file" "$KEEP/$who.callgrind"
done
stop

start env
for who in guest session; do
    [[ $who == session ]] && presented=$cookie || presented=
    load 640 "$presented"
    strace --follow-forks --summary-only --output="$work/calls" --attach="$gateway" 2>"$work/control" &
    tracer=$!
    until grep -q attached "$work/control"; do sleep 0.1; done
    load "$requests" "$presented"
    kill -INT "$tracer"
    wait "$tracer" || true
    calls=$(awk '$NF == "total" { print $(NF - 1) == "total" ? $3 : $4 }' "$work/calls")
    echo "$who: $(awk -v c="$calls" -v r="$requests" 'BEGIN { printf "%.2f", c / r }') system calls a request"
    sed -n '3,8p' "$work/calls" | sed 's/^/    /'
done
stop
