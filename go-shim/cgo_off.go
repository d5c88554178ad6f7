//go:build !cgo

package remotewrite

// The library needs cgo, which xk6 turns off by default. The compiler reports this undefined name first.
var _ = thisExtensionNeedsCgo_SoBuildWith_xk6_build_cgo_1
