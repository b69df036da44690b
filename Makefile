# `make run` starts the shop, `make test` runs every test; the rest serves them.
.PHONY: run test test-observability build generate clean

# Variables reach `stack run` through the environment: WEB_HOST, WEB_PORT, BACKEND_PORT, ML_PORT, POSTGRES_PORT,
# REDIS_PORT, RUN_DIR, as in `make run WEB_PORT=8090`. PROFILE is cargo's.
PROFILE ?= release

run: build
	@exec target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/stack run

build:
	tests/install run
	cargo build --profile $(PROFILE) --workspace --bins
	@$(MAKE) --no-print-directory web/dist/index.html

test:
	tests/run

# The part of it that watches a shop with the real Loki, Mimir and Prometheus. Builds those first, in some ten minutes.
test-observability:
	tests/install test
	tests/observability/check

# The OpenAPI document from the backend's code, and the pages' types from the document. Built with the features of the
# whole workspace, as the tests are, so that nothing is compiled twice.
generate: web/node_modules/.package-lock.json
	cargo build --quiet --workspace --bins
	target/debug/shopmicro-backend openapi > target/openapi.json
	mv target/openapi.json src/backend/openapi.json
	cd web && npm run generate

web/dist/index.html: web/node_modules/.package-lock.json \
  $(shell find web \( -name node_modules -o -name dist \) -prune -o -type f -print)
	cd web && npm run build

# What npm writes last when it installs.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	cd $* && npm ci --no-audit --no-fund
	@touch $@

clean:
	cargo clean
	rm -rf web/dist web/node_modules tests/browser/node_modules .run
