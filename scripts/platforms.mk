# Platforms for which this machine can build a release: `make dist PLATFORM=linux/arm64`. Another than the machine's own needs a cross
# compiler of Debian and a target of rustup. Included by the Makefile.
#
# A platform is named after Go's directories: linux_arm64. The library for musl has a name after the libc: linux_amd64_musl.

PLATFORMS := linux/amd64 linux/amd64-musl linux/arm64 windows/amd64

# The machine's own platform, and the platform to build for.
HOST_TRIPLE := $(shell rustc -vV | sed -n "s/^host: //p")
HOST := $(subst $() ,_,$(shell go env GOOS GOARCH))$(if $(findstring musl,$(HOST_TRIPLE)),_musl)
PLATFORM ?= $(HOST)
override PLATFORM := $(subst -,_,$(subst /,_,$(PLATFORM)))

TRIPLE_linux_amd64 := x86_64-unknown-linux-gnu
TRIPLE_linux_amd64_musl := x86_64-unknown-linux-musl
TRIPLE_linux_arm64 := aarch64-unknown-linux-gnu
TRIPLE_windows_amd64 := x86_64-pc-windows-gnu

# Debian's packages with the compiler.
PACKAGES_linux_amd64 := gcc
PACKAGES_linux_amd64_musl := musl-tools
PACKAGES_linux_arm64 := gcc-aarch64-linux-gnu libc6-dev-arm64-cross
PACKAGES_windows_amd64 := gcc-mingw-w64-x86-64

# Rust's unwinder for musl. That of gcc needs the libc for which it was compiled.
UNWINDER_linux_amd64_musl = $(wildcard $(shell rustc --print sysroot)/lib/rustlib/$(TARGET_TRIPLE)/lib/self-contained/libunwind.a)

# What runs programs of the platform, and Debian's packages of it.
RUN_PROGRAM_linux_arm64 := qemu-aarch64
RUN_PROGRAM_windows_amd64 := /usr/lib/wine/wine64
RUN_PACKAGES_linux_arm64 := qemu-user
RUN_PACKAGES_windows_amd64 := wine64

CC_linux_amd64 := gcc
CC_linux_amd64_musl := musl-gcc
CC_linux_arm64 := aarch64-linux-gnu-gcc
CC_windows_amd64 := x86_64-w64-mingw32-gcc

BINUTILS_linux_arm64 := aarch64-linux-gnu-
BINUTILS_windows_amd64 := x86_64-w64-mingw32-

# Programs of the platform run by this command.
RUNNER_linux_arm64 := qemu-aarch64 -L /usr/aarch64-linux-gnu
RUNNER_windows_amd64 := $(ROOT)/scripts/wine.sh

# The system and the architecture, as Go names them.
TARGET_OS := $(word 1,$(subst _, ,$(PLATFORM)))
TARGET_ARCH := $(word 2,$(subst _, ,$(PLATFORM)))
TARGET_LIBC := $(word 3,$(subst _, ,$(PLATFORM)))
GO_PLATFORM := $(TARGET_OS)_$(TARGET_ARCH)

ifeq ($(PLATFORM),$(HOST))
TARGET_CC := cc
TARGET_TRIPLE := $(HOST_TRIPLE)
TARGET_DIRECTORY := target/release
SHIM_LIB := go-shim/lib/$(GO_PLATFORM)
else
TARGET_TRIPLE := $(TRIPLE_$(PLATFORM))
ifeq ($(TARGET_TRIPLE),)
$(error PLATFORM is "$(PLATFORM)"; it must be one of: $(PLATFORMS))
endif
TARGET_CC := $(CC_$(PLATFORM))
TARGET_BINUTILS := $(BINUTILS_$(PLATFORM))
TARGET_RUNNER := $(RUNNER_$(PLATFORM))
TARGET_DIRECTORY := target/$(TARGET_TRIPLE)/release
SHIM_LIB := go-shim/lib/$(PLATFORM)
CARGO_TARGET := --target $(TARGET_TRIPLE)
TARGET_VARIABLE := $(subst -,_,$(TARGET_TRIPLE))
# cc, which compiles C code of crates, and cargo's linker. musl-gcc is not the linker: Rust brings musl's start files.
export CC_$(TARGET_VARIABLE) := $(TARGET_CC)
ifneq ($(TARGET_BINUTILS),)
export AR_$(TARGET_VARIABLE) := $(TARGET_BINUTILS)ar
export CARGO_TARGET_$(shell echo $(TARGET_VARIABLE) | tr a-z A-Z)_LINKER := $(TARGET_CC)
endif
endif

# What cargo makes, and the system's libraries that a program with the static library needs.
STATIC_LIBRARY := libk6_remote_write.a
ifeq ($(TARGET_OS),windows)
EXE := .exe
DYNAMIC_LIBRARY := k6_remote_write.dll
SYSTEM_LIBRARIES := -lws2_32 -lbcrypt -lcrypt32 -luserenv -lntdll
else ifeq ($(TARGET_OS),darwin)
DYNAMIC_LIBRARY := libk6_remote_write.dylib
SYSTEM_LIBRARIES := -framework Security -framework CoreFoundation
else ifeq ($(TARGET_LIBC),musl)
SYSTEM_LIBRARIES := -lm
else
DYNAMIC_LIBRARY := libk6_remote_write.so
SYSTEM_LIBRARIES := -lgcc_s -lm
endif
