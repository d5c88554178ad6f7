# Builds, tests and shows k6-remote-write. Needs Rust, Go, a C compiler and make; everything else is fetched at pinned versions.
#
#   make demo        one run end to end: k6, a real receiver, the numbers compared
#   make test        all tests
#   make k6          build/k6, k6 with this output                 (LINK=dynamic: loads the library at run time)
#   make receivers   build/prometheus, build/promtool, build/victoria-metrics, and build/prometheus-2 where apt is
#   make bench       this output beside k6's own, in turn, in one binary
#   make bench-steps what each step of a sample's way costs
#   make screenshot  the README's picture anew                     (needs chromium)
#   make fuzz        random calls, documents and answers            (CASES=100000: for as long as one likes)
#   make model       the inbox in every order of its threads
#   make miri        what Miri can run, on a nightly                (SEEDS=0..64: more orders of threads)
#   make sanitize    tests under the thread sanitizer, on a nightly
#   make soak        a million series, then 20 minutes of faults    (DURATION=1h)
#   make dist        build/dist, what a release has for this platform  (dist.mk)
#   make lint        formatting, lints, the header, the shim
#   make audit       licences and known vulnerabilities of what is depended on
#   make header      include/k6_remote_write.h anew from the Rust sources
#   make dashboards  dashboards/*.json anew from tools/dashboards

K6_VERSION := v2.2.0
CARGO_DENY_VERSION := 0.20.2
# Only for Miri and the sanitizers.
NIGHTLY := nightly-2026-10-30
CARGO_CYCLONEDX_VERSION := 0.5.9
HADOLINT_VERSION := 2.15.1
LINK ?= static
RECEIVER ?= victoria-metrics

ROOT := $(CURDIR)
BUILD := $(ROOT)/build
SHIM_MODULE := github.com/k6-remote-write/k6-remote-write/go-shim

# A program that is linked to the dynamic library asks for it by this name.
ABI_VERSION := $(shell sed -n 's/^pub const ABI_VERSION: u32 = \(.*\);/\1/p' src/ffi/layout.rs)
SONAME := libk6_remote_write.so.$(ABI_VERSION)

# The platform as the shim's folders name it.
PLATFORM := $(subst $() ,_,$(shell go env GOOS GOARCH))

RUST_SOURCES := Cargo.toml Cargo.lock build.rs $(shell find src proto -type f)
SHIM_SOURCES := go-shim/go.mod go-shim/go.sum $(wildcard go-shim/*.go)
LIBRARIES := target/release/libk6_remote_write.a target/release/libk6_remote_write.so
SHIM_LIB := go-shim/lib/$(PLATFORM)
STAGED := go-shim/include/k6_remote_write.h $(SHIM_LIB)/libk6_remote_write.a $(SHIM_LIB)/$(SONAME)

# What is fetched is what the lock files name, and Go is the one that is installed.
export GOTOOLCHAIN := local
export GOFLAGS := -buildvcs=false
CARGO := cargo --locked

# Where it was built is not in what was built.
CARGO_HOME ?= $(HOME)/.cargo
REMAP := --remap-path-prefix=$(ROOT)=. --remap-path-prefix=$(CARGO_HOME)/registry/src=crates

ifeq ($(filter $(LINK),static dynamic),)
$(error LINK is "$(LINK)"; allowed are static and dynamic)
endif

.PHONY: all k6 receivers demo screenshot bench bench-steps test test-rust test-abi test-go test-e2e fuzz model nightly miri sanitize soak lint lint-delivery audit header clean
.DELETE_ON_ERROR:

all: k6 receivers

include dist.mk

## Building

# cargo itself knows best what is up to date; both files come from one run.
$(LIBRARIES) &: $(RUST_SOURCES)
	RUSTFLAGS="$(REMAP) $(RUSTFLAGS)" $(CARGO) build --release
	touch -c $(LIBRARIES)

# The shim's own copies, in the folders where a release of the module has them.
go-shim/include/%.h: include/%.h
	mkdir -p $(@D)
	cp $< $@

# One object that shows the functions of the header and nothing else, so that another Rust library in the same k6 cannot clash;
# without debug information and LLVM's bitcode, which are two thirds of cargo's.
FUNCTIONS = ${shell sed -n 's/^[a-z].*\(k6rw_[a-z_]*\)(.*/\1/p' include/k6_remote_write.h}
define STAGE
mkdir -p $(@D)
$(LD) -r --force-group-allocation $(FUNCTIONS:%=--undefined=%) -o $@.o $<
objcopy $(FUNCTIONS:%=--keep-global-symbol=%) --strip-unneeded --remove-section=.llvmbc --remove-section=.llvmcmd $@.o
rm -f $@ && ar rcsD $@ $@.o && rm $@.o
endef

$(SHIM_LIB)/%.a: target/release/%.a include/k6_remote_write.h
	$(STAGE)

$(SHIM_LIB)/$(SONAME): target/release/libk6_remote_write.so
	mkdir -p $(@D)
	cp $< $@
	ln -sf $(SONAME) $(@D)/libk6_remote_write.so

k6: $(BUILD)/k6
# A file for each way of linking, so that a change of LINK builds anew.
$(BUILD)/k6: $(BUILD)/k6-$(LINK)
	ln -f $< $@
ifeq ($(LINK),dynamic)
	cp $(SHIM_LIB)/$(SONAME) $(BUILD)/
endif

$(BUILD)/k6-dynamic: XK6_TAGS := --build-flags=-tags=k6rw_dynamic
$(BUILD)/k6-static $(BUILD)/k6-dynamic: $(BUILD)/k6-%: $(SHIM_SOURCES) $(STAGED) $(BUILD)/xk6
	$(BUILD)/xk6 --quiet build $(K6_VERSION) --cgo=1 --output $@ --with $(SHIM_MODULE)=$(ROOT)/go-shim \
		--build-flags=-trimpath --build-flags='-ldflags=-s -w' $(XK6_TAGS)

# The k6 that people have, to compare with.
$(BUILD)/k6-plain: $(BUILD)/xk6
	$(BUILD)/xk6 --quiet build $(K6_VERSION) --output $@ --build-flags=-trimpath --build-flags='-ldflags=-s -w'

# Tools are Go `tool` dependencies of modules of their own, so that none decides the versions of another.
$(BUILD)/xk6: tools/xk6/go.mod tools/xk6/go.sum
	cd tools/xk6 && go build -o $@ go.k6.io/xk6

$(BUILD)/prometheus: tools/prometheus/go.mod tools/prometheus/go.sum
	cd tools/prometheus && go build -tags remove_all_sd -o $@ github.com/prometheus/prometheus/cmd/prometheus

$(BUILD)/promtool: tools/prometheus/go.mod tools/prometheus/go.sum
	cd tools/prometheus && go build -tags remove_all_sd -o $@ github.com/prometheus/prometheus/cmd/promtool

# A Prometheus that knows no Remote Write 2.0: Debian's. Without apt, the tests that need it are skipped and say so.
$(BUILD)/prometheus-2:
	@mkdir -p $(BUILD)/debian && cd $(BUILD)/debian && \
	if apt-get download prometheus && dpkg-deb --extract prometheus_2*.deb .; then cp usr/bin/prometheus $@; \
	else echo "apt has no Prometheus 2: what is tested with it is skipped"; fi; rm -rf $(BUILD)/debian

$(BUILD)/victoria-metrics: tools/victoria-metrics/go.mod tools/victoria-metrics/go.sum
	cd tools/victoria-metrics && go build -o $@ github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics

$(BUILD)/staticcheck: tools/lint/go.mod tools/lint/go.sum
	cd tools/lint && go build -o $@ honnef.co/go/tools/cmd/staticcheck

$(BUILD)/gosec: tools/gosec/go.mod tools/gosec/go.sum
	cd tools/gosec && go build -o $@ github.com/securego/gosec/v2/cmd/gosec

$(BUILD)/govulncheck: tools/govulncheck/go.mod tools/govulncheck/go.sum
	cd tools/govulncheck && go build -o $@ golang.org/x/vuln/cmd/govulncheck

$(BUILD)/actionlint: tools/actionlint/go.mod tools/actionlint/go.sum
	cd tools/actionlint && go build -o $@ github.com/rhysd/actionlint/cmd/actionlint

$(BUILD)/compose-spec: tools/compose/go.mod tools/compose/go.sum
	cd tools/compose && go build -o $@ github.com/compose-spec/compose-go/v2/cmd

# Not optimized: they run for a second, and would compile for many minutes.
$(BUILD)/cargo-deny/$(CARGO_DENY_VERSION) $(BUILD)/cargo-cyclonedx/$(CARGO_CYCLONEDX_VERSION): $(BUILD)/%:
	CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$(@D)/target \
		cargo install $(*D) --version $(*F) --locked --debug --root $(@D)
	rm -rf $(@D)/target
	touch $@

receivers: $(BUILD)/prometheus $(BUILD)/promtool $(BUILD)/prometheus-2 $(BUILD)/victoria-metrics

## Showing

# KEEP=1 leaves the receiver up; RECEIVER=prometheus takes the other one.
demo: k6 receivers
	cd tests/e2e && go build -o $(BUILD)/demo ./cmd/demo
	RECEIVER=$(RECEIVER) $(BUILD)/demo

# The README's picture: a run in the UI of VictoriaMetrics, taken by a headless browser. No test needs it.
screenshot: k6 receivers
	cd tests/e2e && go build -o $(BUILD)/screenshot ./cmd/screenshot
	@mkdir -p docs/images
	$(BUILD)/screenshot docs/images/run.png

# All loads, for an hour or more; bench/results.md and the picture are written anew. SHORT=1 takes a look at all of them in three
# minutes, LOAD=a,growth runs some; neither writes.
bench: k6 $(BUILD)/k6-plain
	cd tests/e2e && go build -o $(BUILD)/bench ./cmd/bench
	$(BUILD)/bench $(if $(SHORT),-short) $(if $(LOAD),-load $(LOAD)) $(if $(SHORT)$(LOAD),,-write bench) $(BENCH_FLAGS)

# What each step of a sample's way costs.
bench-steps: $(STAGED)
	$(CARGO) bench --bench sample_path
	cd go-shim && go test -run '^$$' -bench . -benchtime 2s .

## Testing

test: test-rust test-abi test-go test-dashboards test-e2e

# Random cases are the same in each run; `make fuzz` tries others.
test-rust:
	PROPTEST_RNG_SEED=1 $(CARGO) test

# The C programs on the library that is shipped, and under valgrind, where that is installed.
test-abi: $(LIBRARIES)
	@command -v clang >/dev/null || echo "clang is not installed: the C programs were compiled with gcc alone"
	@command -v valgrind >/dev/null || echo "valgrind is not installed: the C programs were not run under it"
	LIBRARIES=$(ROOT)/target/release $(CARGO) test --test symbols --test abi -- --ignored \
		$$(command -v valgrind >/dev/null || echo --skip memcheck --skip helgrind)

test-go: $(STAGED)
	cd go-shim && go test -count=1 ./... && go test -count=1 -race ./... && GOEXPERIMENT=cgocheck2 go test -count=1 ./...
	cd go-shim && LD_LIBRARY_PATH=$(ROOT)/$(SHIM_LIB) go test -count=1 -tags k6rw_dynamic ./...

# The dashboards are what the code makes, and valid.
.PHONY: dashboards test-dashboards
test-dashboards:
	cd tools/dashboards && go vet ./... && go test -count=1 ./...

# A debug build of the library, which can be made to panic (src/fault.rs), for the k6 that loads it.
$(BUILD)/debug/$(SONAME): $(RUST_SOURCES)
	$(CARGO) build
	mkdir -p $(@D)
	cp target/debug/libk6_remote_write.so $@

test-e2e: k6 receivers $(BUILD)/k6-dynamic $(BUILD)/debug/$(SONAME) $(DIST)/k6 $(BUILD)/compose-spec
	cd tests/e2e && go vet ./... && go test -count=1 -parallel 6 -timeout 20m ./...

# CASES=100000 tries more; PROPTEST_RNG_SEED repeats a run.
CASES ?= 1000
fuzz:
	PROPTEST_CASES=$(CASES) $(CARGO) test --test fuzz

# A flag for all crates, so it has a folder of its own.
model:
	RUSTFLAGS="--cfg k6rw_loom" CARGO_TARGET_DIR=target/model CARGO_PROFILE_TEST_OPT_LEVEL=1 CARGO_PROFILE_TEST_DEBUG=0 \
		$(CARGO) test --lib ingest::loom_tests

# Miri and the sanitizers are in nightly toolchains alone; nothing else needs one.
nightly:
	@rustup run $(NIGHTLY) cargo miri --version >/dev/null 2>&1 || \
		rustup toolchain install $(NIGHTLY) --profile minimal --component miri --component rust-src --no-self-update || \
		{ echo "this needs rustup, and a way to fetch $(NIGHTLY) with the components miri and rust-src"; exit 1; }

# Sockets and the clock are the system's, as far as Miri has them. Threads that end with the process are not lost memory.
SEEDS ?= 0..8
MIRI := CARGO_TARGET_DIR=target/miri PROPTEST_CASES=3 cargo +$(NIGHTLY) --locked miri test
MIRI_FLAGS := -Zmiri-disable-isolation -Zmiri-ignore-leaks
miri: nightly
	MIRIFLAGS="$(MIRI_FLAGS)" $(MIRI) --lib -- ffi:: ingest:: panics:: report:: send::queue config::sources::apm_lease \
		--skip memory_is_bounded
	MIRIFLAGS="$(MIRI_FLAGS)" $(MIRI) --test boundary -- --skip a_whole_run
	MIRIFLAGS="$(MIRI_FLAGS) -Zmiri-many-seeds=$(SEEDS)" $(MIRI) --lib -- ingest::tests::samples_from_many_threads

# All crates and std are compiled for the thread sanitizer, but for what ring has in C and assembler. Three tests have tens of thousands
# of points to send within ten seconds, which it makes too short.
sanitize: nightly
	RUSTFLAGS="-Zsanitizer=thread" CARGO_TARGET_DIR=target/sanitize CARGO_PROFILE_TEST_DEBUG=line-tables-only \
		cargo +$(NIGHTLY) --locked test -Zbuild-std --target x86_64-unknown-linux-gnu \
		--lib --test boundary --test delivery --test resample -- --skip nothing_else_is_sent_before \
		--skip requests_are_bounded_and --skip many_series_have_several

# SOAK_SECONDS, SOAK_SERIES and SOAK_RATE are for the library alone, DURATION for k6 and a receiver in trouble.
DURATION ?= 20m
soak: k6 receivers
	$(CARGO) run --release --example soak
	cd tests/e2e && go build -o $(BUILD)/soak ./cmd/soak
	$(BUILD)/soak -duration $(DURATION)

## Linting

lint: $(STAGED) $(BUILD)/staticcheck $(BUILD)/gosec $(BUILD)/xk6 audit lint-delivery
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) test --test header
	@unsafe=$$(grep -rl unsafe_code src | sort | tr '\n' ' '); test "$$unsafe" = "src/ffi/mod.rs src/lib.rs " || \
		{ echo "only src/ffi may allow unsafe code: $$unsafe"; exit 1; }
	@unformatted=$$(gofmt -l go-shim tests/e2e tools/dashboards); test -z "$$unformatted" || { echo "not gofmt: $$unformatted"; exit 1; }
	cd go-shim && go vet ./... && $(BUILD)/staticcheck ./...
	cd tests/e2e && go vet ./... && $(BUILD)/staticcheck ./...
	cd tools/dashboards && go vet ./... && $(BUILD)/staticcheck ./...
	BUILD=$(BUILD) K6_VERSION=$(K6_VERSION) tests/lint-shim.sh

# What carries it to people: workflows, image, containers side by side.
lint-delivery: $(BUILD)/actionlint $(BUILD)/compose-spec
	$(BUILD)/actionlint
	$(BUILD)/compose-spec compose.yaml >/dev/null
	BUILD=$(BUILD) HADOLINT_VERSION=$(HADOLINT_VERSION) tests/lint-image.sh

# What is depended on: licences and sources, and known vulnerabilities where their databases are reached.
audit: $(BUILD)/cargo-deny/$(CARGO_DENY_VERSION) $(BUILD)/govulncheck
	$(BUILD)/cargo-deny/bin/cargo-deny --locked check licenses sources bans
	BUILD=$(BUILD) tests/audit.sh

header:
	UPDATE_HEADER=1 $(CARGO) test --test header

.PHONY: docs
docs:
	UPDATE_DOCS=1 $(CARGO) test --test docs the_tables_of_options_are_current

dashboards:
	cd tools/dashboards && go run . $(ROOT)/dashboards

clean:
	rm -rf $(BUILD) target go-shim/lib go-shim/include
