module github.com/k6-remote-write/k6-remote-write/tests/e2e

go 1.26

require go.yaml.in/yaml/v3 v3.0.4

require buf.build/gen/go/gogo/protobuf/protocolbuffers/go v1.36.11-20240617172848-e1dbca2775a7.1 // indirect

require (
	buf.build/gen/go/prometheus/prometheus/protocolbuffers/go v1.36.11-20260707164124-2360da55afce.1
	github.com/klauspost/compress v1.19.1
	github.com/yuin/goldmark v1.8.7
	google.golang.org/protobuf v1.36.11
)
