//go:build !k6rw_dynamic

package remotewrite

// The library becomes a part of k6: one file is the whole product.

// #cgo LDFLAGS: ${SRCDIR}/lib/libk6_remote_write.a -lgcc_eh -lpthread -lm -ldl
import "C"
