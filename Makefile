# The commands of this project. `make` alone lists them.

.DEFAULT_GOAL := help
.NOTPARALLEL:

export NEXT_TELEMETRY_DISABLED := 1

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: dev
dev: ## the gateway with `next dev` behind it, on http://localhost:3000
	cargo run -- dev

.PHONY: test
test: test-deps lint typecheck test-rust ## everything but the containers

.PHONY: test-deps
test-deps: ## find Postgres, PgBouncer, Chromium and the npm packages, install what is missing
	tests/deps

.PHONY: lint
lint: ## formatting, clippy and documentation, no warning allowed
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items --locked

.PHONY: typecheck
typecheck: ## the types of the frontend
	cd frontend && node_modules/.bin/next typegen && node_modules/.bin/tsc --noEmit

.PHONY: test-rust
test-rust: ## unit tests, then the gateway before real Postgres, Next.js and Chromium
	cargo test --workspace --locked

.PHONY: fuzz
fuzz: ## each fuzz target for TIME=600 seconds; TARGET=strip for one; needs cargo-fuzz and nightly
	for target in $(or $(TARGET),$$(cargo +nightly fuzz list)); do \
	  cargo +nightly fuzz run --sanitizer none $$target -- -max_total_time=$(or $(TIME),600) || exit 1; \
	done

.PHONY: fuzz-differential
fuzz-differential: ## MUTATIONS=10000 mutated streams before and behind the gateway, SEED=23
	FUZZ_MUTATIONS=$(or $(MUTATIONS),10000) FUZZ_SEED=$(or $(SEED),23) \
	  cargo test -p nextbnb-tests --test fuzz --locked -- --nocapture

.PHONY: test-compose
test-compose: ## bring up docker-compose.yml and a site on the move, prove them, clean up
	tests/compose/run
	tests/compose/from-express

.PHONY: bench
bench: ## beside nginx and Express: CPU, latency, memory, statements; ROUNDS=9, BINARY=, GATEWAY_FLAGS=
	bench/side-by-side/run

.PHONY: bench-instructions
bench-instructions: ## fails where a request costs more instructions than bench/instructions/figures allows
	bench/instructions/gate.sh

.PHONY: release-pgo
release-pgo: ## target/release-pgo/nextbnb-gateway: built twice, the second time by what the first ran
	bench/pgo/build.sh

.PHONY: fmt
fmt: ## format the Rust code
	cargo fmt --all
