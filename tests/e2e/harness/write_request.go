package harness

// Bodies of remote-write requests, decoded by Go packages: their series, or only the number of points.

import (
	"net/http"
	"strings"

	prompb "buf.build/gen/go/prometheus/prometheus/protocolbuffers/go"
	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// seriesOf returns the series of a Remote Write 1.0 body; none for a 2.0 body.
func seriesOf(compressed []byte) ([]Series, error) {
	raw, err := snappy.Decode(nil, compressed)
	if err != nil {
		return nil, err
	}
	var message prompb.WriteRequest
	if err := proto.Unmarshal(raw, &message); err != nil {
		return nil, err
	}
	var all []Series
	for _, sent := range message.GetTimeseries() {
		series := Series{Labels: map[string]string{}}
		for _, label := range sent.GetLabels() {
			series.Labels[label.GetName()] = label.GetValue()
		}
		series.Name = series.Labels["__name__"]
		delete(series.Labels, "__name__")
		for _, sample := range sent.GetSamples() {
			series.Points = append(series.Points, Point{TimeMs: sample.GetTimestamp(), Value: sample.GetValue()})
		}
		all = append(all, series)
	}
	return all, nil
}

// form has the field numbers of a version's message: of the series, and of a series' samples and histograms.
type form struct{ series, samples, histograms protowire.Number }

var (
	version1 = form{series: 1, samples: 2, histograms: 4}
	version2 = form{series: 5, samples: 2, histograms: 3}
)

func formOf(header http.Header) form {
	if strings.Contains(header.Get("Content-Type"), "io.prometheus.write.v2.Request") {
		return version2
	}
	return version1
}

// points counts the samples and the histograms of a body without decoding them.
func (f form) points(body []byte) (samples, histograms int, err error) {
	message, err := snappy.Decode(nil, body)
	if err != nil {
		return 0, 0, err
	}
	err = eachField(message, func(number protowire.Number, series []byte) error {
		if number != f.series {
			return nil
		}
		return eachField(series, func(number protowire.Number, _ []byte) error {
			switch number {
			case f.samples:
				samples++
			case f.histograms:
				histograms++
			}
			return nil
		})
	})
	return samples, histograms, err
}

// eachField visits the length-delimited fields of a message.
func eachField(message []byte, visit func(number protowire.Number, content []byte) error) error {
	for len(message) > 0 {
		number, kind, tagLength := protowire.ConsumeTag(message)
		if tagLength < 0 {
			return protowire.ParseError(tagLength)
		}
		length := protowire.ConsumeFieldValue(number, kind, message[tagLength:])
		if length < 0 {
			return protowire.ParseError(length)
		}
		if kind == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(message[tagLength:])
			if err := visit(number, content); err != nil {
				return err
			}
		}
		message = message[tagLength+length:]
	}
	return nil
}
