# `make run` starts the shop, `make test` runs every test; the rest serves them.
.PHONY: run load break mend test test-observability test-kubernetes overhead shipped bench bench-scale bench-page bench-recommender fuzz chaos soak profile lighthouse screenshots build generate clean

# Variables reach `stack run` through the environment: WEB_HOST, WEB_PORT, BACKEND_PORT, ML_PORT, POSTGRES_PORT,
# REDIS_PORT, RUN_DIR, as in `make run WEB_PORT=8090`. PROFILE is cargo's.
PROFILE ?= release

STACK = target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/stack

# `make run OBSERVABILITY=1` starts Loki, Mimir, Prometheus and the exporters besides, and builds the first two where PATH
# has none.
run: build
ifdef OBSERVABILITY
	@tests/install observability
	@PATH="$$(tests/observability/build)$$PATH" exec $(STACK) run --observability
else
	@exec $(STACK) run
endif

# Customers for the shop that runs: `make load RATE=5 DURATION=60 URL=http://127.0.0.1:8080`.
load:
	@$(STACK) load $(if $(URL),--url $(URL)) $(if $(RATE),--rate $(RATE)) $(if $(DURATION),--duration $(DURATION))

# An incident in the shop of `make run OBSERVABILITY=1`, as in `make break SCENARIO=redis-down`: docs/incidents.
break:
	@$(STACK) break $(SCENARIO)

# The end of every incident.
mend:
	@$(STACK) mend

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

# The shop on a real Kubernetes cluster, which is made for it: docs/kubernetes.md. Takes root; builds the cluster first, in
# some fifteen minutes.
test-kubernetes:
	tests/install test
	tests/k8s/check
	tests/cluster/run

# What telemetry costs released programs, as a ratio of two in one run.
overhead:
	cargo build --release --workspace --bin shopmicro-backend
	cargo test --workspace --test overhead -- --nocapture

# The programs as Nix builds and ships them: nix/packages.nix.
SHIPPED = cargo build --profile dist --target $(HOST) --package=shopmicro-backend --package=shopmicro-ml-service \
    --package=shopmicro-stack
HOST = $(shell rustc --print host-tuple)

shipped:
	tests/install run
	RUSTFLAGS="-C profile-use=$(CURDIR)/src/dist.profdata" $(SHIPPED)
	cargo build --release --workspace --bin bench

# How fast and how frugal shop and recommender are, beside peers in Express and Flask and beside floors: tables, and figures
# in target/bench. One scenario with `make bench SCENARIOS=detail`. The machine should have nothing else to do for a
# quarter of an hour.
bench: shipped tests/bench/peers/express/node_modules/.package-lock.json
	target/release/bench run --programs target/$(HOST)/dist $(if $(SCENARIOS),--scenarios $(SCENARIOS)) $(if $(PRODUCTS),--products $(PRODUCTS))

# What a request costs by the size of the catalogue; a million products take some minutes to be put in.
bench-scale: shipped
	for size in $(or $(SIZES),10000 100000 1000000); do target/release/bench run --programs target/$(HOST)/dist --alone \
	    --capacity-only --products $$size --scenarios detail,list,filters,search --dir target/bench/scale-$$size || exit 1; done

# Those figures in docs/performance.md, and the plot.
bench-page:
	target/release/bench page

# What the compiler optimises the shipped programs for: they count what they do while the benchmark asks. Takes half an hour,
# and LLVM_PROFDATA of rustc's version of LLVM or a newer one (`rustc -vV`).
profile:
	tests/install run
	rm -rf target/profile/counts
	RUSTFLAGS="-C profile-generate=$(CURDIR)/target/profile/counts" $(SHIPPED) --target-dir target/profile
	cargo build --release --workspace --bin bench
	target/release/bench run --programs target/profile/$(HOST)/dist --alone --capacity-only --repetitions 1 \
	    --dir target/profile/bench
	$(or $(LLVM_PROFDATA),llvm-profdata-22) merge --sparse --write-prev-version --output=src/dist.profdata target/profile/counts/*

# The recommender beside scikit-learn, sparse_dot_topn and implicit: how good and how fast, as tables. DATA, SPLIT, END and
# SIZES choose what is measured; WHAT=quality or WHAT=speed a half of it.
bench-recommender:
	@DATA="$(DATA)" SPLIT="$(SPLIT)" END="$(END)" SIZES="$(SIZES)" tests/bench/recommender/run $(WHAT)

# Looks for text and files that break the recommender: TARGET is terms, model or interactions. Needs a C++ compiler.
fuzz:
	tests/fuzz/run $(or $(TARGET),terms) $(or $(SECONDS),60)

# Faults by the hundred while customers buy, chosen by SEED, and after each a look at the books: docs/faults.md. With
# OBSERVABILITY=1 those who watch break, too.
chaos: build
	tests/install test
	$(if $(OBSERVABILITY),PATH="$$(tests/observability/build)$$PATH") target/release/chaos faults --rounds $(or $(ROUNDS),100) \
	    --seed $(or $(SEED),1) $(if $(OBSERVABILITY),--observability)

# Customers at a RATE a second, or half as many as the shop can serve, for so many MINUTES, and whether memory, files or
# connections grow.
soak: build
	tests/install test
	target/release/chaos soak --minutes $(or $(MINUTES),30) $(if $(RATE),--rate $(RATE))

# What Lighthouse says of the pages, with how fast they are on a slow phone: the machine should have nothing else to do.
lighthouse: build tests/browser/node_modules/.package-lock.json
	tests/install test
	$(STACK) exec -- env LIGHTHOUSE=timed npm --prefix tests/browser test -- lighthouse.test.js

# Pictures of the main pages in target/screenshots, and those of the README.
screenshots: build tests/browser/node_modules/.package-lock.json
	tests/install test
	$(STACK) exec -- env STACK=$(STACK) npm --prefix tests/browser run screenshots

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
	rm -rf web/dist web/node_modules tests/browser/node_modules tests/bench/peers/express/node_modules .run
