#!/bin/sh
# Instructions of finding a session that is kept. Needs valgrind.
set -eu
cd "$(dirname "$0")/../.."
program=$(cargo bench -p nextbnb-tests --bench session-cache --no-run --message-format json |
    sed -n 's/.*"name":"session-cache".*"executable":"\([^"]*\)".*/\1/p')
out=$(mktemp)
trap 'rm -f "$out"' EXIT
# What runs inside of `Sessions::cached`, which the program calls 100,000 times.
valgrind --tool=callgrind --callgrind-out-file="$out" --toggle-collect='*Sessions::cached*' "$program"
callgrind_annotate "$out" | sed -n '/PROGRAM TOTALS/s|^ *\([0-9,]*\).*|\1|p' | tr -d , |
    awk '{ printf "%.0f instructions a look-up\n", $1 / 100000 }'
