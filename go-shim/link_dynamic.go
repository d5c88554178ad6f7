//go:build k6rw_dynamic

package remotewrite

// k6 loads the library when it starts, from the directory of the k6 binary.

// #cgo linux,amd64 LDFLAGS: -L${SRCDIR}/lib/linux_amd64
// #cgo linux,arm64 LDFLAGS: -L${SRCDIR}/lib/linux_arm64
// #cgo LDFLAGS: -l:libk6_remote_write.so -Wl,-rpath,$ORIGIN
import "C"
