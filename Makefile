# `make run` starts the shop, `make test` runs every test; the rest serves them.
.PHONY: run test build generate clean

# Variables reach `stack run` through the environment: WEB_HOST, WEB_PORT, BACKEND_PORT, ML_PORT, POSTGRES_PORT,
# REDIS_PORT, RUN_DIR, as in `make run WEB_PORT=8090`.
run: build
	@exec target/release/stack run

build:
	tests/install run
	cargo build --release --workspace --bins
	cd web && npm ci && npm run build

test:
	tests/run

# The OpenAPI document from the backend's code, and the pages' types from the document.
generate:
	cargo run --quiet --bin shopmicro-backend -- openapi > target/openapi.json
	mv target/openapi.json src/backend/openapi.json
	cd web && npm run generate

clean:
	cargo clean
	rm -rf web/dist web/node_modules tests/browser/node_modules .run
