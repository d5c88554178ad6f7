# Builds, tests and lints k6-remote-write; `make help` lists the targets. Needs Rust, Go, a C compiler and make; other tools are
# downloaded in the versions that are pinned here, in Cargo.lock and in the go.mod files.

K6_VERSION := v2.2.0
K6V1_VERSION := v1.8.1
CARGO_DENY_VERSION := 0.20.2
CARGO_CYCLONEDX_VERSION := 0.5.9
HADOLINT_VERSION := 2.15.1
# For Miri and the sanitizers only.
NIGHTLY := nightly-2026-10-30

LINK ?= static
RECEIVER ?= victoria-metrics

ROOT := $(CURDIR)
BUILD := $(ROOT)/build
SHIM_MODULE := github.com/k6-remote-write/k6-remote-write/go-shim

# The soname, by which programs load the dynamic library.
ABI_VERSION := $(shell sed -n 's/^pub const ABI_VERSION: u32 = \(.*\);/\1/p' src/ffi/layout.rs)
SONAME := libk6_remote_write.so.$(ABI_VERSION)

# The platform to build for: its compilers, and names of files.
include scripts/platforms.mk

RUST_SOURCES := Cargo.toml Cargo.lock build.rs $(shell find src proto -type f)
SHIM_SOURCES := go-shim/go.mod go-shim/go.sum $(wildcard go-shim/*.go)
K6V1_SOURCES := $(addprefix go-shim-k6v1/,go.mod go.sum k6.go)
LIBRARIES := $(addprefix $(TARGET_DIRECTORY)/,libk6_remote_write.a $(DYNAMIC_LIBRARY))
SHIM_HEADERS := go-shim/include/k6_remote_write.h go-shim/include/k6_remote_write_musl.h
STAGED := $(SHIM_HEADERS) $(SHIM_LIB)/libk6_remote_write.a $(if $(filter %.so,$(DYNAMIC_LIBRARY)),$(SHIM_LIB)/$(SONAME))

# Uses the dependencies of the lock files and the installed Go.
export GOTOOLCHAIN := local
export GOFLAGS := -buildvcs=false
CARGO := cargo --locked

# Removes paths of the build machine from the binaries. Flags of the dependencies do not have the directory of this checkout, so that
# another checkout can use the compiled ones (CARGO_TARGET_DIR, or a cache of CI).
CARGO_HOME ?= $(HOME)/.cargo
BUILD_LIBRARY = RUSTFLAGS="--remap-path-prefix=$(CARGO_HOME)/registry/src=crates $(RUSTFLAGS)" \
	$(CARGO) rustc --release --lib $(CARGO_TARGET) -- --remap-path-prefix=$(ROOT)=.

ifeq ($(filter $(LINK),static dynamic),)
$(error LINK is "$(LINK)"; it must be static or dynamic)
endif

.DELETE_ON_ERROR:

all: k6 receivers ## programs for the demo and the tests (the default)

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^## / { print "\n" substr($$0, 4) } /^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

# Contents of a release; defines variables that are used below.
include scripts/dist.mk

## Build

# cargo itself checks what is up to date; one run builds both files.
$(LIBRARIES) &: $(RUST_SOURCES) | toolchain
	$(BUILD_LIBRARY)
	touch -c $(LIBRARIES)

toolchain:
	@TRIPLE=$(TARGET_TRIPLE) CC=$(TARGET_CC) PACKAGES="$(PACKAGES_$(PLATFORM))" scripts/toolchain.sh $(PLATFORM)

# The shim's copies, in the same directories as in a release of the module.
go-shim/include/k6_remote_write.h: include/k6_remote_write.h
	mkdir -p $(@D)
	cp $< $@

go-shim/include/k6_remote_write_musl.h: include/k6_remote_write.h scripts/musl_header.sh
	mkdir -p $(@D)
	scripts/musl_header.sh < $< > $@

STAGE = PLATFORM=$(PLATFORM) BINUTILS=$(TARGET_BINUTILS) UNWINDER=$(UNWINDER_$(PLATFORM)) scripts/stage.sh
$(SHIM_LIB)/%.a: $(TARGET_DIRECTORY)/%.a include/k6_remote_write.h scripts/stage.sh
	$(STAGE) $< $@ $(if $(TARGET_LIBC),k6rw_$(TARGET_LIBC))

$(SHIM_LIB)/$(SONAME): $(TARGET_DIRECTORY)/libk6_remote_write.so
	mkdir -p $(@D)
	cp $< $@
	ln -sf $(SONAME) $(@D)/libk6_remote_write.so

k6: $(BUILD)/k6 ## build/k6: k6 with this output (LINK=dynamic loads the library at run time)
# One file for each value of LINK, so that another value rebuilds.
$(BUILD)/k6: $(BUILD)/k6-$(LINK)
	ln -f $< $@
ifeq ($(LINK),dynamic)
	cp $(SHIM_LIB)/$(SONAME) $(BUILD)/
endif

$(BUILD)/k6-dynamic: XK6_TAGS := --build-flags=-tags=k6rw_dynamic
$(BUILD)/k6-static $(BUILD)/k6-dynamic: $(BUILD)/k6-%: $(SHIM_SOURCES) $(STAGED) $(BUILD)/xk6
	$(BUILD)/xk6 --quiet build $(K6_VERSION) --cgo=1 --output $@ --with $(SHIM_MODULE)=$(ROOT)/go-shim \
		--build-flags=-trimpath --build-flags='-ldflags=-s -w' $(XK6_TAGS)

k6v1: $(BUILD)/k6v1 ## build/k6v1: k6 1 with this output
$(BUILD)/k6v1: $(SHIM_SOURCES) $(K6V1_SOURCES) $(STAGED) $(BUILD)/xk6 scripts/k6v1.sh
	scripts/k6v1.sh go-shim go-shim-k6v1
	$(BUILD)/xk6 --quiet build $(K6V1_VERSION) --cgo=1 --output $@ --with $(SHIM_MODULE)-k6v1=$(ROOT)/go-shim-k6v1 \
		--build-flags=-trimpath --build-flags='-ldflags=-s -w'

# With symbols, for profiles.
$(BUILD)/k6-symbols: $(BUILD)/k6-static
	$(BUILD)/xk6 --quiet build $(K6_VERSION) --cgo=1 --output $@ --with $(SHIM_MODULE)=$(ROOT)/go-shim --build-flags=-trimpath

# k6 without extensions, for comparison.
$(BUILD)/k6-plain: $(BUILD)/xk6
	$(BUILD)/xk6 --quiet build $(K6_VERSION) --output $@ --build-flags=-trimpath --build-flags='-ldflags=-s -w'

receivers: $(BUILD)/prometheus $(BUILD)/promtool $(BUILD)/prometheus-2 $(BUILD)/victoria-metrics ## build/prometheus, promtool, victoria-metrics, and prometheus-2 where apt is available

# Only for tests, since their builds need minutes.
MORE_RECEIVERS := $(BUILD)/vmagent $(BUILD)/mimir $(BUILD)/cortex $(BUILD)/thanos
receivers-all: receivers $(MORE_RECEIVERS) ## these, and vmagent, mimir, cortex and thanos, which only tests need

# Go programs are `tool` dependencies of modules in tools/, which pin their versions. Programs that need different versions of
# dependencies have separate modules.
$(BUILD)/xk6 $(BUILD)/actionlint $(BUILD)/cyclonedx-gomod: $(BUILD)/%: tools/%/go.mod tools/%/go.sum
	cd tools/$* && go build -o $@ tool

$(BUILD)/prometheus $(BUILD)/promtool &: tools/prometheus/go.mod tools/prometheus/go.sum
	cd tools/prometheus && go build -tags remove_all_sd -o $(BUILD)/ tool

$(BUILD)/victoria-metrics $(BUILD)/vmagent &: tools/victoria-metrics/go.mod tools/victoria-metrics/go.sum
	cd tools/victoria-metrics && go build -o $(BUILD)/ tool

# The tags of their own builds.
$(BUILD)/mimir: LABELS := stringlabels
$(BUILD)/cortex $(BUILD)/thanos: LABELS := slicelabels
$(BUILD)/mimir $(BUILD)/cortex $(BUILD)/thanos: $(BUILD)/%: tools/%/go.mod tools/%/go.sum
	cd tools/$* && go build -tags netgo,$(LABELS) -o $@ tool

$(BUILD)/staticcheck $(BUILD)/gosec $(BUILD)/govulncheck $(BUILD)/compose-spec &: tools/lint/go.mod tools/lint/go.sum
	cd tools/lint && go build -o $(BUILD)/ tool
	mv $(BUILD)/cmd $(BUILD)/compose-spec

# A Prometheus without Remote Write 2.0: Debian's. Without apt, the tests that need it are skipped.
$(BUILD)/prometheus-2:
	@mkdir -p $(BUILD)/debian && cd $(BUILD)/debian && \
	if apt-get download prometheus && dpkg-deb --extract prometheus_2*.deb .; then cp usr/bin/prometheus $@; \
	else echo "apt has no Prometheus 2: tests that need it are skipped"; fi; rm -rf $(BUILD)/debian

# Not optimized: they run for a second, but an optimized build needs many minutes.
$(BUILD)/cargo-deny/$(CARGO_DENY_VERSION) $(BUILD)/cargo-cyclonedx/$(CARGO_CYCLONEDX_VERSION): $(BUILD)/%:
	CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$(@D)/target \
		cargo install $(*D) --version $(*F) --locked --debug --root $(@D)
	rm -rf $(@D)/target
	touch $@

header: ## include/k6_remote_write.h, generated from the Rust sources
	UPDATE_HEADER=1 $(CARGO) test --test interface header::

docs: ## the tables of options in docs/configuration.md and README.md, generated from the rows
	UPDATE_DOCS=1 $(CARGO) test --test docs the_tables_of_options_are_current

dashboards: ## deploy/dashboards/*.json and deploy/vmui/*.json, generated by tools/dashboards
	cd tools/dashboards && go run . $(ROOT)/deploy

clean: ## remove all build results
	rm -rf $(BUILD) target go-shim/lib go-shim/include

## Run

demo: k6 receivers ## one run end to end with a comparison of all numbers (RECEIVER=prometheus; KEEP=1 keeps the receiver running)
	cd tools && go build -o $(BUILD)/demo ./demo
	RECEIVER=$(RECEIVER) $(BUILD)/demo

bench: k6 $(BUILD)/k6-plain $(BUILD)/k6-symbols ## comparison with k6's own output, an hour or more (LOAD=a,c20: these loads, without changes to bench/)
	cd bench && go build -o $(BUILD)/bench .
	$(BUILD)/bench $(if $(LOAD),-load $(LOAD),-write bench) $(BENCH_FLAGS)

bench-quick: $(BUILD)/k6-symbols ## the cost of a sample by profile in three minutes, for before and after a change (LOAD=c140: another load; BENCH_FLAGS=-write=bench: writes bench/quick.md)
	cd bench && go build -o $(BUILD)/bench .
	$(BUILD)/bench -quick -load $(if $(LOAD),$(LOAD),a,c20) $(BENCH_FLAGS)

bench-steps: $(STAGED) ## cost of each step of a sample's path
	$(CARGO) bench --bench sample_path
	cd go-shim && go test -run '^$$' -bench . -benchtime 2s .

bench-unsent: ## time and memory in which a full queue is written to a file of unsent samples
	$(CARGO) run --release --example unsent

# SOAK_SECONDS, SOAK_SERIES and SOAK_RATE configure the test of the library, DURATION that of k6 with faults.
DURATION ?= 20m
soak: k6 receivers ## a million series for a minute, then 20 minutes of faults (DURATION=1h, RECEIVER=prometheus)
	$(CARGO) run --release --example soak
	cd tools && go build -o $(BUILD)/soak ./soak
	$(BUILD)/soak -duration $(DURATION) -receiver $(RECEIVER)

screenshot: k6 receivers ## screenshot for the README: four minutes of a run in the UI of VictoriaMetrics (needs chromium)
	cd tools && go build -o $(BUILD)/screenshot ./screenshot
	@mkdir -p docs/images
	$(BUILD)/screenshot docs/images/run.png

## Test

test: test-programs test-rust test-abi test-go test-dashboards test-e2e ## all tests except those of the next section

# Programs for the tests. Rust and Go are built in parallel: one links on one core while the other compiles.
test-programs:
	$(MAKE) --jobs=2 $(LIBRARIES) test-rust-programs receivers-all
	$(MAKE) $(E2E_PROGRAMS)

test-rust-programs:
	$(CARGO) test --no-run

# Random cases are the same in each run; `make fuzz` uses others.
test-rust: ## unit, property and integration tests
	PROPTEST_RNG_SEED=1 $(CARGO) test

test-abi: $(LIBRARIES) ## C programs with the release library, also under valgrind if it is installed
	@command -v clang >/dev/null || echo "clang is not installed: the C programs are compiled only with gcc"
	@command -v valgrind >/dev/null || echo "valgrind is not installed: the C programs are not run under it"
	LIBRARIES=$(ROOT)/target/release $(CARGO) test --test interface -- --ignored --skip the_release_of_a_platform \
		$$(command -v valgrind >/dev/null || echo --skip memcheck --skip helgrind)

# The first two reuse k6's packages as compiled for build/k6 (-trimpath); the third compiles them again for both checks.
test-go: $(STAGED) ## the shim's tests: static, dynamic, and with the race detector and cgocheck
	cd go-shim && go test -count=1 -trimpath ./...
	cd go-shim && LD_LIBRARY_PATH=$(ROOT)/$(SHIM_LIB) go test -count=1 -trimpath -tags k6rw_dynamic ./...
	cd go-shim && GOEXPERIMENT=cgocheck2 go test -count=1 -race ./...

test-dashboards: ## the committed dashboards are valid and current
	cd tools/dashboards && go vet ./... && go test -count=1 ./...

# A debug build of the library, in which tests can cause panics (src/fault.rs).
$(BUILD)/debug/$(SONAME): $(RUST_SOURCES)
	$(CARGO) build
	mkdir -p $(@D)
	cp target/debug/libk6_remote_write.so $@

E2E_PROGRAMS = $(BUILD)/k6 $(BUILD)/k6-dynamic $(BUILD)/debug/$(SONAME) $(DIST)/k6
test-e2e: receivers-all $(E2E_PROGRAMS) ## the built and the released k6 with real receivers and faults
	cd tests/e2e && go vet ./... && go test -count=1 -parallel 6 -timeout 20m ./...

# Tests of what k6 itself has changed: summary, thresholds, scenarios, archives, the end of a run, subcommands.
K6V1_TESTS := TestQueriesReturn|TestExamples|TestTwoInstances|TestUnsentSamples|TestSendDelivers|TestASecondCtrlC|TestAnInvalidBlock|TestARunFromAnArchive
test-k6v1: $(DIST)/k6v1 receivers ## end-to-end tests with k6 1, built from its module as in a release
	BUILD=$(BUILD) scripts/programs.sh $(DIST)/programs-k6v1 $(DIST)/k6v1
	cd tests/e2e && K6_MAJOR=1 BUILD_DIR=$(DIST)/programs-k6v1 go test -count=1 -parallel 4 -timeout 20m -run '^($(K6V1_TESTS))' .

## Long tests

# `make test` runs them on two receivers, and one test on the others.
test-receivers: receivers-all $(E2E_PROGRAMS) ## every test that depends on the receiver, on all of them
	cd tests/e2e && RECEIVERS=all go test -count=1 -parallel 6 -timeout 60m -run "$$($(ROOT)/scripts/receiver-tests.sh)" ./...

# PROPTEST_RNG_SEED repeats a run.
CASES ?= 1000
fuzz: ## random calls, documents and responses (CASES=100000)
	PROPTEST_CASES=$(CASES) $(CARGO) test --test behaviour fuzz::

# A flag for all crates, so it has its own target directory.
model: ## the inbox in every interleaving of its threads
	RUSTFLAGS="--cfg k6rw_loom" CARGO_TARGET_DIR=target/model CARGO_PROFILE_TEST_OPT_LEVEL=1 CARGO_PROFILE_TEST_DEBUG=0 \
		$(CARGO) test --lib ingest::inbox::loom_tests

# Miri and the sanitizers are in nightly toolchains only.
nightly:
	@rustup run $(NIGHTLY) cargo miri --version >/dev/null 2>&1 || \
		rustup toolchain install $(NIGHTLY) --profile minimal --component miri --component rust-src --no-self-update || \
		{ echo "this needs rustup and $(NIGHTLY) with the components miri and rust-src"; exit 1; }

# Tests use the system's sockets and clock, as far as Miri supports them. Threads that end with the process are not leaks.
SEEDS ?= 0..8
MIRI := CARGO_TARGET_DIR=target/miri PROPTEST_CASES=3 cargo +$(NIGHTLY) --locked miri test
MIRI_FLAGS := -Zmiri-disable-isolation -Zmiri-ignore-leaks
miri: nightly ## tests that Miri supports, with a nightly toolchain (SEEDS=0..64: more interleavings)
	MIRIFLAGS="$(MIRI_FLAGS)" $(MIRI) --lib -- ffi:: ingest:: panics:: report:: send::queue config::sources::apm_lease \
		--skip memory_is_bounded
	MIRIFLAGS="$(MIRI_FLAGS)" $(MIRI) --test interface boundary:: -- --skip a_whole_run
	MIRIFLAGS="$(MIRI_FLAGS) -Zmiri-many-seeds=$(SEEDS)" $(MIRI) --lib -- ingest::inbox::tests::samples_from_many_threads

# Compiles all crates and std for the thread sanitizer, except ring's C and assembler code. Skips three tests that send tens of
# thousands of points within ten seconds, since it is too slow for them.
sanitize: nightly ## tests under the thread sanitizer, with a nightly toolchain
	RUSTFLAGS="-Zsanitizer=thread" CARGO_TARGET_DIR=target/sanitize CARGO_PROFILE_TEST_DEBUG=line-tables-only \
		cargo +$(NIGHTLY) --locked test -Zbuild-std --target x86_64-unknown-linux-gnu \
		--lib --test interface --test behaviour -- --skip abi:: --skip symbols:: --skip fuzz:: --skip tls:: \
		--skip nothing_else_is_sent_before --skip requests_are_bounded_and --skip many_series_have_several

## Lint

lint: $(STAGED) $(BUILD)/staticcheck $(BUILD)/gosec $(BUILD)/xk6 audit lint-delivery ## all of this section, formatting, clippy, the header, vet, staticcheck, xk6 lint
	BUILD=$(BUILD) K6_VERSION=$(K6_VERSION) scripts/lint.sh

lint-delivery: $(BUILD)/actionlint $(BUILD)/compose-spec ## workflows, Compose file and Dockerfile
	$(BUILD)/actionlint
	cd deploy/compose && $(BUILD)/compose-spec compose.yaml >/dev/null
	BUILD=$(BUILD) HADOLINT_VERSION=$(HADOLINT_VERSION) scripts/lint-image.sh

audit: $(BUILD)/cargo-deny/$(CARGO_DENY_VERSION) $(BUILD)/govulncheck ## licences, sources and known vulnerabilities of dependencies
	BUILD=$(BUILD) scripts/audit.sh

# Targets that are not files: those of `make help`, and internal ones.
.PHONY: $(shell sed -n 's/^\([a-z0-9-]*\):.*\#\# .*/\1/p' $(MAKEFILE_LIST)) nightly toolchain run-test-dist test-module test-programs test-rust-programs
