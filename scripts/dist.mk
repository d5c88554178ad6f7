## Release
#
# Contents of a release for this machine's platform. docs/distribution.md describes it and how to verify it.

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
DIST := $(BUILD)/dist
RELEASE := k6-remote-write-$(VERSION)-$(PLATFORM)
TREE := $(DIST)/$(RELEASE)

# Times in the files are that of the last commit.
$(DIST)/%: export SOURCE_DATE_EPOCH ?= $(shell git -c safe.directory='*' log -1 --format=%ct 2>/dev/null || echo 0)

dist: $(DIST)/SHA256SUMS ## build/dist: library, header, k6, licences, SBOMs, checksums; the shim's module as in its tag

# The module as in its tag: a repository with only the shim, the header and the staged libraries.
$(DIST)/module: $(SHIM_SOURCES) $(STAGED) scripts/module.sh
	scripts/module.sh $@ $(VERSION)

# k6 as users build it, with Go and a C compiler but without Rust.
$(DIST)/k6: $(DIST)/module $(BUILD)/xk6 scripts/k6.sh
	K6_VERSION=$(K6_VERSION) MODULE=$(SHIM_MODULE) MODULES=$(BUILD)/modules XK6=$(BUILD)/xk6 \
		scripts/k6.sh $@ $< $(VERSION)

$(TREE)/lib/pkgconfig/k6_remote_write.pc: scripts/k6_remote_write.pc.in
	mkdir -p $(@D)
	sed 's/@VERSION@/$(VERSION)/' $< > $@

$(TREE)/LICENSES.txt: $(TREE)/crates.cdx.json scripts/licenses.sh
	scripts/licenses.sh $< > $@

# Crates of the library, without those for builds and tests.
$(TREE)/crates.cdx.json: Cargo.lock $(BUILD)/cargo-cyclonedx/$(CARGO_CYCLONEDX_VERSION)
	mkdir -p $(@D)
	$(BUILD)/cargo-cyclonedx/bin/cargo-cyclonedx cyclonedx --format json --no-build-deps --target $(shell rustc -vV | sed -n "s/^host: //p") \
		--spec-version 1.5 --override-filename crates.cdx
	sed 's|file://$(ROOT)|file:///k6-remote-write|' crates.cdx.json > $@
	rm crates.cdx.json

# Modules of k6, from the build information in the program.
$(TREE)/modules.cdx.json: $(DIST)/k6 $(BUILD)/cyclonedx-gomod
	mkdir -p $(@D)
	$(BUILD)/cyclonedx-gomod bin -json -noserial $< | jq '.metadata.timestamp = (env.SOURCE_DATE_EPOCH | tonumber | todate)' > $@

$(DIST)/SHA256SUMS: $(DIST)/k6 $(STAGED) $(TREE)/LICENSES.txt $(TREE)/crates.cdx.json $(TREE)/modules.cdx.json \
		$(TREE)/lib/pkgconfig/k6_remote_write.pc scripts/dist.sh scripts/checksums.sh
	mkdir -p $(TREE)/bin $(TREE)/include $(TREE)/lib
	cp $(DIST)/k6 $(TREE)/bin/
	cp include/k6_remote_write.h $(TREE)/include/
	cp -P $(SHIM_LIB)/* $(TREE)/lib/
	cp LICENSE $(TREE)/
	scripts/dist.sh $(TREE)
	cd $(DIST) && tar --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw,a-s --mtime=@$(SOURCE_DATE_EPOCH) \
		-c $(RELEASE) | gzip -9n > $(RELEASE).tar.gz
	cd $(DIST) && $(ROOT)/scripts/checksums.sh module -- $(RELEASE).tar.gz > $@

# Needs musl-gcc, and `rustup target add $(MUSL)`.
MUSL := x86_64-unknown-linux-musl
musl: $(BUILD)/k6-musl ## build/k6-musl, a static program, and the library for Alpine

target/$(MUSL)/release/libk6_remote_write.a: $(RUST_SOURCES)
	$(call BUILD_LIBRARY,--target $(MUSL))
	touch -c $@

go-shim/lib/linux_amd64_musl/%.a: target/$(MUSL)/release/%.a include/k6_remote_write.h scripts/stage.sh
	scripts/stage.sh $< $@

$(BUILD)/k6-musl: $(SHIM_SOURCES) go-shim/include/k6_remote_write.h go-shim/lib/linux_amd64_musl/libk6_remote_write.a $(BUILD)/xk6
	CC=musl-gcc $(BUILD)/xk6 --quiet build $(K6_VERSION) --cgo=1 --output $@ --with $(SHIM_MODULE)=$(ROOT)/go-shim \
		--build-flags=-trimpath --build-flags=-tags=musl --build-flags='-ldflags=-s -w -linkmode external -extldflags -static'

# As slow as a build without caches.
reproducible: dist ## make dist in a second directory, and a comparison of the files
	scripts/reproducible.sh $(BUILD)/a/directory/of/another/depth build/xk6 build/cyclonedx-gomod build/cargo-cyclonedx
