## Release
#
# Contents of a release for PLATFORM, by default this machine's. docs/distribution.md describes it and how to verify it.

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
DIST := $(BUILD)/dist/$(PLATFORM)
RELEASE := k6-remote-write-$(VERSION)-$(PLATFORM)
TREE := $(DIST)/$(RELEASE)

# Times in the files are that of the last commit.
$(DIST)/%: export SOURCE_DATE_EPOCH ?= $(shell git -c safe.directory='*' log -1 --format=%ct 2>/dev/null || echo 0)

dist: $(DIST)/SHA256SUMS ## build/dist/PLATFORM: library, header, k6, licences, SBOMs, checksums; the shim's module as in its tag (PLATFORM=linux/arm64)

# One after the other: a build of the library needs 2 GB of memory and all cores.
dist-all: ## the same for all platforms for which this machine can have compilers
	for platform in $(PLATFORMS); do $(MAKE) dist PLATFORM=$$platform || exit; done

# The module as in its tag: a repository with only the shim, the headers and the staged library.
$(DIST)/module: $(SHIM_SOURCES) $(K6V1_SOURCES) $(STAGED) scripts/module.sh scripts/k6v1.sh
	scripts/module.sh $@ $(VERSION) $(SHIM_LIB)

# k6 as users build it, with Go and a C compiler but without Rust. With musl it is linked statically, and runs on every Linux.
BUILD_K6 = MODULES=$(BUILD)/modules XK6=$(BUILD)/xk6 CC=$(TARGET_CC) GOOS=$(TARGET_OS) GOARCH=$(TARGET_ARCH) \
	LINK=$(if $(filter musl,$(TARGET_LIBC)),static) scripts/k6.sh $@ $< $(VERSION)
$(DIST)/k6$(EXE): $(DIST)/module $(BUILD)/xk6 scripts/k6.sh
	K6_VERSION=$(K6_VERSION) MODULE=$(SHIM_MODULE) $(BUILD_K6)

$(DIST)/k6v1$(EXE): $(DIST)/module $(BUILD)/xk6 scripts/k6.sh
	K6_VERSION=$(K6V1_VERSION) MODULE=$(SHIM_MODULE)-k6v1 $(BUILD_K6)

$(TREE)/lib/pkgconfig/k6_remote_write.pc: scripts/k6_remote_write.pc.in
	mkdir -p $(@D)
	sed 's/@VERSION@/$(VERSION)/; s/@SYSTEM_LIBRARIES@/$(SYSTEM_LIBRARIES)/' $< > $@

$(TREE)/LICENSES.txt: $(TREE)/crates.cdx.json scripts/licenses.sh
	scripts/licenses.sh $< > $@

# Crates of the library, without those for builds and tests.
$(TREE)/crates.cdx.json: Cargo.lock $(BUILD)/cargo-cyclonedx/$(CARGO_CYCLONEDX_VERSION)
	mkdir -p $(@D)
	$(BUILD)/cargo-cyclonedx/bin/cargo-cyclonedx cyclonedx --format json --no-build-deps --target $(TARGET_TRIPLE) \
		--spec-version 1.5 --override-filename crates.cdx
	sed 's|file://$(ROOT)|file:///k6-remote-write|' crates.cdx.json > $@
	rm crates.cdx.json

# Modules of k6, from the build information in the program.
$(TREE)/modules.cdx.json: $(DIST)/k6$(EXE) $(BUILD)/cyclonedx-gomod
	mkdir -p $(@D)
	$(BUILD)/cyclonedx-gomod bin -json -noserial $< | jq '.metadata.timestamp = (env.SOURCE_DATE_EPOCH | tonumber | todate)' > $@

$(DIST)/SHA256SUMS: $(DIST)/k6$(EXE) $(STAGED) $(LIBRARIES) $(TREE)/LICENSES.txt $(TREE)/crates.cdx.json $(TREE)/modules.cdx.json \
		$(TREE)/lib/pkgconfig/k6_remote_write.pc scripts/dist.sh scripts/checksums.sh scripts/stage.sh
	mkdir -p $(TREE)/bin $(TREE)/include $(TREE)/lib
	cp $(DIST)/k6$(EXE) $(TREE)/bin/
	cp include/k6_remote_write.h $(TREE)/include/
	$(STAGE) $(TARGET_DIRECTORY)/libk6_remote_write.a $(TREE)/lib/libk6_remote_write.a
	$(COPY_DYNAMIC_LIBRARY)
	cp LICENSE $(TREE)/
	CC="$(TARGET_CC)" RUNNER="$(TARGET_RUNNER)" PLATFORM=$(PLATFORM) scripts/dist.sh $(TREE)
	cd $(DIST) && tar --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw,a-s --mtime=@$(SOURCE_DATE_EPOCH) \
		-c $(RELEASE) | gzip -9n > $(RELEASE).tar.gz
	cd $(DIST) && $(ROOT)/scripts/checksums.sh module -- $(RELEASE).tar.gz > $@

ifeq ($(TARGET_OS),windows)
COPY_DYNAMIC_LIBRARY = cp $(TARGET_DIRECTORY)/$(DYNAMIC_LIBRARY) $(TARGET_DIRECTORY)/libk6_remote_write.dll.a $(TREE)/lib/
else ifneq ($(filter %.so,$(DYNAMIC_LIBRARY)),)
COPY_DYNAMIC_LIBRARY = cp -P $(SHIM_LIB)/$(SONAME) $(SHIM_LIB)/$(DYNAMIC_LIBRARY) $(TREE)/lib/
else ifneq ($(DYNAMIC_LIBRARY),)
COPY_DYNAMIC_LIBRARY = cp $(TARGET_DIRECTORY)/$(DYNAMIC_LIBRARY) $(TREE)/lib/
endif

# Tests of the release: its contents, and what can differ between platforms, as far as it runs here: numbers, times, the end of a
# run, files, credentials, TLS, proxies. The receivers are this machine's.
DIST_TESTS := TestK6FromTheReleasedModule|TestAllVersions|TestNoProgramNeeds|TestTheK6ForMusl|TestTheProgramsForWindows|TestTheStaticLibrary
DIST_TESTS := $(DIST_TESTS)|TestALibraryForAnotherLibc|TestTheModuleHas|TestBuildPaths|TestExamples|TestQueriesReturn|TestPointsAreOn
DIST_TESTS := $(DIST_TESTS)|TestASecondCtrlC|TestUnsentSamples|TestSendDeliversEvery|TestACheckEndsAtCtrlC|TestAnInvalidConfiguration
DIST_TESTS := $(DIST_TESTS)|TestEveryKindOfCredentials|TestATokenIsRead|TestAMissingFile|TestAPrivateCA|TestASelfSigned|TestASystemWithoutCAs
DIST_TESTS := $(DIST_TESTS)|TestProxies|TestAnHTTPSProxy
test-dist: dist $(BUILD)/prometheus $(BUILD)/promtool $(BUILD)/victoria-metrics ## the release for PLATFORM is run, by qemu-user or wine64 if need be
	@if [ -n "$(RUN_PROGRAM_$(PLATFORM))" ] && ! command -v "$(RUN_PROGRAM_$(PLATFORM))" >/dev/null; then \
		echo "tests skipped: programs for $(PLATFORM) run here only with $(RUN_PACKAGES_$(PLATFORM)), which is not installed"; \
	else $(MAKE) run-test-dist; fi

run-test-dist:
	PLATFORM=$(PLATFORM) BUILD=$(BUILD) scripts/programs.sh $(DIST)/programs $(DIST)/k6$(EXE) "$(TARGET_RUNNER)"
	PLATFORM_CC=$(TARGET_CC) LIBRARY=$(TREE)/lib/libk6_remote_write.a SYSTEM_LIBRARIES="$(SYSTEM_LIBRARIES) $(if $(EXE),-static)" RUNNER="$(TARGET_RUNNER)" \
		$(CARGO) test --test interface -- --ignored the_release_of_a_platform
	cd tests/e2e && PLATFORM=$(PLATFORM) BUILD_DIR=$(DIST)/programs NM=$(TARGET_BINUTILS)nm \
		go test -count=1 -parallel 4 -timeout 20m -run '^($(DIST_TESTS))' .

test-dist-all: ## the same for all platforms of dist-all; then the module with all libraries is built for both libcs
	for platform in $(PLATFORMS); do $(MAKE) test-dist PLATFORM=$$platform || exit; done
	$(MAKE) test-module

# One command builds k6 on systems with glibc and with musl: the linker takes the right object from the library.
ALL := $(BUILD)/dist/all
test-module: $(BUILD)/xk6 $(BUILD)/victoria-metrics $(BUILD)/prometheus
	mkdir -p $(ALL)
	SOURCE_DATE_EPOCH=0 scripts/module.sh $(ALL)/module $(VERSION) $(foreach platform,$(PLATFORMS),$(call LIBRARY_DIRECTORY,$(platform)))
	for cc in gcc musl-gcc; do \
		K6_VERSION=$(K6_VERSION) MODULE=$(SHIM_MODULE) MODULES=$(BUILD)/modules XK6=$(BUILD)/xk6 CC=$$cc \
			scripts/k6.sh $(ALL)/k6-$$cc $(ALL)/module $(VERSION) && \
		BUILD=$(BUILD) scripts/programs.sh $(ALL)/programs $(ALL)/k6-$$cc && \
		(cd tests/e2e && K6_MAJOR=2 BUILD_DIR=$(ALL)/programs go test -count=1 -parallel 4 -run '^TestExamples|^TestQueriesReturnEvery' .) || exit; \
	done
LIBRARY_DIRECTORY = go-shim/lib/$(subst -,_,$(subst /,_,$(1)))

# As slow as a build without caches.
reproducible: dist ## make dist in a second directory, and a comparison of the files
	PLATFORM=$(PLATFORM) scripts/reproducible.sh $(BUILD)/a/directory/of/another/depth build/xk6 build/cyclonedx-gomod build/cargo-cyclonedx
