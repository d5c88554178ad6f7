//go:build !k6rw_dynamic

package remotewrite

// The library is linked into k6, which is a single file then. A release of this module has the library for the platforms
// below; `make k6` builds it into the same directories. On Linux it has an object for glibc and one for musl, of which the linker
// takes the one that matches the C compiler (k6_remote_write_musl.h).

// #cgo linux,amd64 LDFLAGS: ${SRCDIR}/lib/linux_amd64/libk6_remote_write.a
// #cgo linux,arm64 LDFLAGS: ${SRCDIR}/lib/linux_arm64/libk6_remote_write.a
// #cgo linux LDFLAGS: -lm
// #cgo windows,amd64 LDFLAGS: ${SRCDIR}/lib/windows_amd64/libk6_remote_write.a
// #cgo windows LDFLAGS: -lws2_32 -lbcrypt -lcrypt32 -luserenv -lntdll
// #cgo darwin,amd64 LDFLAGS: ${SRCDIR}/lib/darwin_amd64/libk6_remote_write.a
// #cgo darwin,arm64 LDFLAGS: ${SRCDIR}/lib/darwin_arm64/libk6_remote_write.a
// #cgo darwin LDFLAGS: -framework Security -framework CoreFoundation
import "C"
