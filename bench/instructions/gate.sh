#!/usr/bin/env bash
# Does a request cost more than it did? `make bench-instructions`
#
# Counts with measure.sh what a request of a guest, one in a session and one for a built file cost a release
# build, and fails where that is 3 % over the figure in `figures`, or over 25,000 where that figure is not. With
# UPDATE_FIGURES=1 what was counted becomes the figure. An argument is another binary. Installs valgrind
# and strace where they are missing (Debian, root).
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly FIGURES=bench/instructions/figures
readonly LIMIT=25000 MARGIN_PERCENT=3

missing=()
for program in valgrind strace; do
    command -v "$program" >/dev/null || missing+=("$program")
done
if ((${#missing[@]})); then
    ((EUID == 0)) || { echo "gate: missing: ${missing[*]}. Only root can install them" >&2; exit 1; }
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

[[ -n ${1:-} ]] || cargo build --release --locked --package nextbnb-gateway
measured=$(bench/instructions/measure.sh "${1:-target/release/nextbnb-gateway}")
echo "$measured"

failed=0
for who in guest session asset; do
    counted=$(sed -n "s/^$who: \([0-9]*\) instructions a request.*/\1/p" <<<"$measured")
    figure=$(sed -n "s/^$who \([0-9]*\)$/\1/p" "$FIGURES")
    [[ $counted && $figure ]] || { echo "gate: no figure of a $who" >&2; exit 1; }
    if [[ -n ${UPDATE_FIGURES:-} ]]; then
        sed -i "s/^$who [0-9]*$/$who $counted/" "$FIGURES"
        continue
    fi
    allowed=$((figure * (100 + MARGIN_PERCENT) / 100))
    ((figure > LIMIT || allowed <= LIMIT)) || allowed=$LIMIT
    if ((counted > allowed)); then
        echo "gate: $who: a request costs $counted instructions, over the $allowed allowed ($FIGURES has $figure)" >&2
        failed=1
    else
        echo "gate: $who: a request costs $counted instructions, of $allowed allowed"
    fi
done
exit "$failed"
