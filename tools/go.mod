module github.com/k6-remote-write/k6-remote-write/tools

go 1.26

require github.com/k6-remote-write/k6-remote-write/tests/e2e v0.0.0

require (
	buf.build/gen/go/gogo/protobuf/protocolbuffers/go v1.36.11-20240617172848-e1dbca2775a7.1 // indirect
	buf.build/gen/go/prometheus/prometheus/protocolbuffers/go v1.36.11-20260707164124-2360da55afce.1 // indirect
	github.com/klauspost/compress v1.19.1 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)

replace github.com/k6-remote-write/k6-remote-write/tests/e2e => ../tests/e2e
