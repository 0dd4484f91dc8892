#!/usr/bin/env bash
# A release build that knows which of its code runs: `make release-pgo`
#
# Builds the gateway with counters, has it serve (train.sh), and builds it again by what they say. The
# program is target/release-pgo/nextbnb-gateway. Takes more than two release builds; needs curl and
# openssl, and an llvm-profdata that knows the compiler's counts: what LLVM_PROFDATA names, else the
# toolchain's own (`rustup component add llvm-tools`), else one of LLVM 19 or later (Debian: llvm-19).
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly OUT=target/release-pgo
readonly HOW="have the toolchain's own (rustup component add llvm-tools), install Debian's llvm-19, or name one in LLVM_PROFDATA"
host=$(rustc -vV | sed -n 's/^host: //p')
llvm=$(rustc -vV | sed -n 's/^LLVM version: //p')
readonly host llvm

main() {
    local profdata profile counts=$PWD/$OUT/counts merged=$PWD/$OUT/merged
    find_profdata
    echo "merging with $profdata"
    rm -rf "$counts"
    mkdir -p "$counts"

    cargo build --release --locked --package nextbnb-bench
    # By the same cargo profile, link-time optimisation and all: it is a part of the names by which the
    # counts are found again.
    build "-Cprofile-generate=$counts"
    bench/pgo/train.sh "$(built)" target/release/bench-load
    "$profdata" merge --output "$merged" "$counts"/*.profraw ||
        fail "$profdata cannot read what this compiler (LLVM $llvm) wrote: $HOW"

    # Under a name of its own, or cargo would take what it built by an older one for up to date.
    profile=$PWD/$OUT/$(sha256sum "$merged" | head -c 16).profdata
    mv "$merged" "$profile"
    build "-Cprofile-use=$profile"
    cp "$(built)" "$OUT/nextbnb-gateway"
    echo "$OUT/nextbnb-gateway"
}

# Programs that run while it is built have no counters: with --target the flags are the gateway's alone.
build() {
    RUSTFLAGS=$1 cargo build --release --locked --package nextbnb-gateway --target "$host" --target-dir "$OUT/build"
}

built() { echo "$OUT/build/$host/release/nextbnb-gateway"; }

# LLVM 19 to 22 write one version of raw counts, and the later read what the earlier merged.
find_profdata() {
    local own; own=$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata
    local candidates=("${LLVM_PROFDATA:-}" "$own")
    local version
    for ((version = ${llvm%%.*}; version >= 19; version--)); do
        candidates+=("$(command -v "llvm-profdata-$version" || true)")
    done
    for profdata in "${candidates[@]}"; do
        [[ -z $profdata || ! -x $profdata ]] || return 0
    done
    fail "there is no llvm-profdata for LLVM $llvm: $HOW"
}

fail() { echo "release-pgo: $*" >&2; exit 1; }

main
