#!/usr/bin/env bash
# How many instructions and system calls does a proxied request cost?
#
#   CARGO_PROFILE_RELEASE_DEBUG=line-tables-only cargo build --release && bench/instructions/measure.sh
#
# One worker, 64 kept connections of as many clients, a browser's ten fields, an answer of 1 KiB; of
# guests, and of 100 sessions in turn whose rows are in the cache; and as long a built file, for these
# sessions' browsers. All that is on by default is on: a log line for each request, metrics, limits, the
# memory for built files. Instructions are counted by callgrind (user mode; a busy
# machine changes nothing), system calls of the worker by strace. Needs valgrind, strace and node.
# An argument is another binary; KEEP=FOLDER keeps callgrind's files there, for
# `callgrind_annotate`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=${1:-$here/../../target/release/nextbnb-gateway}
requests=6000 connections=64 sessions=100

work=$(mktemp -d)
upstream='' gateway=''
trap 'kill $upstream $gateway 2>/dev/null || true; rm -rf "$work"' EXIT

node "$here/upstream.mjs" >"$work/port" &
upstream=$!
until [[ -s $work/port ]]; do sleep 0.1; done

# Starts the gateway behind the command in the arguments up to `--`, with the options behind it, and
# sets `url`.
start() {
    local behind=()
    while [[ $1 != -- ]]; do behind+=("$1"); shift; done
    shift
    : >"$work/log" # That of the process before names another port.
    # One core is one worker.
    taskset --cpu-list 0 "${behind[@]}" "$binary" serve --port 0 --host 127.0.0.1 \
        --state-dir "$work/state" --upstream "http://127.0.0.1:$(<"$work/port")" "$@" \
        >"$work/out" 2>"$work/log" &
    gateway=$!
    until grep -q 'serving on' "$work/log"; do
        kill -0 "$gateway" || { cat "$work/log" >&2; exit 1; }
        sleep 0.2
    done
    url=$(sed -n 's/.*serving on \(http[^ ]*\) .*/\1/p' "$work/log")
}

stop() {
    kill "$gateway"
    wait "$gateway" || true
    gateway=
}

# Asks as guests or in sessions, or for a built file, with the commands `$1` before and `$2` after what is counted.
load() {
    local who=$3 cookies='' path=/trips
    [[ $who == guest ]] || cookies=$work/cookies
    [[ $who != asset ]] || path=/_next/static/chunks/main.js
    coproc browsers { node "$here/load.mjs" "$url$path" "$requests" "$connections" $cookies; }
    local browsers_pid=$browsers_PID
    read -r <&"${browsers[0]}"
    "$1"
    echo >&"${browsers[1]}"
    read -r <&"${browsers[0]}"
    "$2"
    echo >&"${browsers[1]}"
    wait "$browsers_pid"
}

# Prints the cookie of a new session.
sign_in() {
    curl --silent --fail --dump-header - --output /dev/null "$url/api/auth/$1" --json \
        '{"email":"ada@example.org","password":"correct horse battery","passwordconfirmation":"correct horse battery"}' |
        sed -n 's/^set-cookie: \([^;]*\).*/\1/ip'
}

# Signed in where no instruction is counted: hashes of passwords take long under callgrind.
start env --
sign_in register >"$work/cookies"
for ((n = 1; n < sessions; n++)); do sign_in login >>"$work/cookies"; done
stop
[[ $(sort -u "$work/cookies" | wc -l) == "$sessions" ]]

zero() { callgrind_control --zero "$gateway" >"$work/control" 2>&1; }
dump() { callgrind_control --dump="$who" "$gateway" >"$work/control" 2>&1; }

# Nobody is told in time that nothing has changed where everything is fifty times slower.
start valgrind --tool=callgrind --callgrind-out-file="$work/callgrind" -- \
    --proxy-protocol --cache-max-stale 1h
for who in guest session asset; do
    load zero dump "$who"
    file=$(grep -l "^desc: Trigger:.*$who" "$work"/callgrind.*)
    total=$(sed -n 's/^\(totals\|summary\): //p' "$file" | head -1)
    echo "$who: $((total / requests)) instructions a request"
    [[ -z ${KEEP:-} ]] || cp "$file" "$KEEP/$who.callgrind"
done
stop

# The worker's thread alone: what the others do they do so often a second, whatever is asked.
attach() {
    local worker
    worker=$(grep --files-with-matches '^worker-' "/proc/$gateway"/task/*/comm)
    worker=${worker%/comm}
    : >"$work/control"
    strace --summary-only --output="$work/calls" --attach="${worker##*/}" 2>"$work/control" &
    tracer=$!
    until grep -q attached "$work/control"; do sleep 0.1; done
}
detach() {
    kill -INT "$tracer"
    wait "$tracer" || true
}

start env -- --proxy-protocol
for who in guest session asset; do
    load attach detach "$who"
    calls=$(awk '$NF == "total" { print $(NF - 1) == "total" ? $3 : $4 }' "$work/calls")
    echo "$who: $(awk -v c="$calls" -v r="$requests" 'BEGIN { printf "%.2f", c / r }') system calls a request"
    sed -n '3,8p' "$work/calls" | sed 's/^/    /'
done
stop
