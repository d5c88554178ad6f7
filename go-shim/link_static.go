//go:build !k6rw_dynamic

package remotewrite

// The library becomes a part of k6: one file is the whole product. A release of this module brings it for the platforms
// below; `make k6` builds it into the same folders. The tag musl is for Alpine, since Go does not tell the two libcs apart.

// #cgo linux,amd64,!musl LDFLAGS: ${SRCDIR}/lib/linux_amd64/libk6_remote_write.a
// #cgo linux,arm64,!musl LDFLAGS: ${SRCDIR}/lib/linux_arm64/libk6_remote_write.a
// #cgo linux,amd64,musl LDFLAGS: ${SRCDIR}/lib/linux_amd64_musl/libk6_remote_write.a
// #cgo linux,!musl LDFLAGS: -lgcc_s -lm
import "C"
