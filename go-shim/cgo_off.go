//go:build !cgo

package remotewrite

// The library is called by cgo, which xk6 turns off unless it is told. Go's first complaint is this name, which nothing has.
var _ = thisExtensionNeedsCgo_SoBuildWith_xk6_build_cgo_1
