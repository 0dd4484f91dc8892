#!/usr/bin/env bash
# What the profile is taken of: bench/pgo/train.sh GATEWAY BENCH_LOAD
#
# People who look around on kept connections, signed in and not, assets, bodies both ways, sign-ins, and
# then the same over TLS with HTTP/2, on an SQLite database. What is not called here is compiled for
# size: whatever serves requests has to be. Needs curl and openssl.
set -euo pipefail
gateway_program=$(realpath "$1") load_program=$(realpath "$2")

work=$(mktemp -d)
upstream='' gateway=''
trap 'kill $upstream $gateway 2>/dev/null || true; rm -rf "$work"' EXIT

main() {
    "$load_program" upstream >"$work/port" &
    upstream=$!
    until [[ -s $work/port ]]; do sleep 0.1; done

    start http
    visitors
    answers_and_bodies
    stop

    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=localhost -keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/openssl.log"
    start https --tls-cert "$work/cert.pem" --tls-key "$work/key.pem"
    answers_and_bodies
    stop
}

start() {
    local scheme=$1; shift
    "$gateway_program" serve --host 127.0.0.1 --port 0 --admin 0 --state-dir "$work/state" "$@" \
        --upstream "http://127.0.0.1:$(<"$work/port")" 2>"$work/log" &
    gateway=$!
    until grep -q 'serving on' "$work/log"; do
        kill -0 "$gateway" || { cat "$work/log" >&2; exit 1; }
        sleep 0.1
    done
    url=$scheme://localhost:$(sed -n 's/.*serving on http[^ ]*:\([0-9]*\) .*/\1/p' "$work/log" | head -1)
}

# The profile is written at the end.
stop() {
    kill "$gateway"
    wait "$gateway"
    gateway=''
}

visitors() {
    local port=${url##*:}
    for person in {1..20}; do
        echo "theme=dark; $(register "$person@example.org")"
    done >"$work/cookies"
    echo 'theme=dark' >"$work/guests"
    for cookies in cookies cookies guests; do
        "$load_program" paced "$port" /trips 4000 5 "$work/$cookies"
        "$load_program" paced "$port" /_next/static/chunks/1k.js 4000 2 "$work/$cookies"
        "$load_program" paced "$port" /64k 1000 2 "$work/$cookies"
    done
}

answers_and_bodies() {
    local cookie; cookie=$(register "$RANDOM@example.net")
    ask --cookie "$cookie" --parallel --parallel-max 20 "$url/trips?[1-3000]"
    ask --cookie "$cookie" "$url/_next/static/chunks/64k.js?[1-300]" "$url/1m?[1-30]"
    ask --cookie "$cookie" "$url/.nextbnb/session?[1-200]"
    ask --head "$url/trips?[1-100]"
    head -c 300000 /dev/zero >"$work/body"
    ask --cookie "$cookie" --data-binary "@$work/body" "$url/api/orders?[1-100]"
    ask --cookie "$cookie" --data 'house=1&paid=true' "$url/api/orders?[1-500]"
    ask --header 'Content-Type: application/json' \
        --data '{"email":"1@example.org","password":"correct horse battery"}' "$url/api/auth/login?[1-10]"
    ask --cookie "$cookie" --request POST "$url/api/auth/logout"
}

ask() { curl --silent --show-error --fail --insecure --output /dev/null "$@" >/dev/null; }

# Prints the cookie.
register() {
    curl --silent --fail --insecure --dump-header - --output /dev/null "$url/api/auth/register" \
        --json "{\"email\":\"$1\",\"password\":\"correct horse battery\",\"passwordconfirmation\":\"correct horse battery\"}" |
        sed -n 's/^set-cookie: \([^;]*\).*/\1/ip'
}

main
