//go:build !k6rw_dynamic

package remotewrite

// The library is linked into k6, which is a single file then. A release of this module has the library for the platforms
// below; `make k6` builds it into the same directories. The tag musl is for Alpine: Go does not distinguish the two libcs.

// #cgo linux,amd64,!musl LDFLAGS: ${SRCDIR}/lib/linux_amd64/libk6_remote_write.a
// #cgo linux,arm64,!musl LDFLAGS: ${SRCDIR}/lib/linux_arm64/libk6_remote_write.a
// #cgo linux,amd64,musl LDFLAGS: ${SRCDIR}/lib/linux_amd64_musl/libk6_remote_write.a
// #cgo linux,!musl LDFLAGS: -lgcc_s -lm
import "C"
