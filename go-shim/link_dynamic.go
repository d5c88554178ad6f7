//go:build k6rw_dynamic

package remotewrite

// k6 loads the library when it starts, from its own folder.

// #cgo LDFLAGS: -L${SRCDIR}/lib -l:libk6_remote_write.so -Wl,-rpath,$ORIGIN
import "C"
