#!/usr/bin/env bash
# Does any of 100,000 requests to real `next start` fail, with rests around Node's 5 s and restarts?
#
#   bench/keep-alive/run.sh                        # PROFILE=dev builds faster
#   bench/keep-alive/run.sh --upstream-wait 30s    # what follows are settings of `serve`
#
# Ends with 1 where one failed while Next.js accepted, or an order was carried out twice. Takes four
# to ten minutes. Needs node and the packages of tests/next-app/site (tests/deps).
set -euo pipefail
cd "$(dirname "$0")/../.."

profile=${PROFILE:-release}
cargo build --locked --profile "$profile" --package nextbnb-gateway
folder=target/$profile; [[ $profile != dev ]] || folder=target/debug
cargo run --locked --package nextbnb-tests --example keep-alive -- "$folder/nextbnb-gateway" "$@"
