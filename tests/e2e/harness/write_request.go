package harness

// The body of a remote-write request, by Go's own packages: written, decoded to its series, or only to the number of its points.

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
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

// Write writes series as another program would, by Remote Write 1.0.
func (r *Receiver) Write(all ...Series) error {
	message := &prompb.WriteRequest{}
	for _, series := range all {
		sent := &prompb.TimeSeries{Labels: []*prompb.Label{{Name: "__name__", Value: series.Name}}}
		for _, name := range slices.Sorted(maps.Keys(series.Labels)) {
			sent.Labels = append(sent.Labels, &prompb.Label{Name: name, Value: series.Labels[name]})
		}
		for _, point := range series.Points {
			sent.Samples = append(sent.Samples, &prompb.Sample{Timestamp: point.TimeMs, Value: point.Value})
		}
		message.Timeseries = append(message.Timeseries, sent)
	}
	raw, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, r.WriteURL(), bytes.NewReader(snappy.Encode(nil, raw)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Content-Encoding", "snappy")
	request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	response, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		body, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s responded with %s to a write: %s", r.Kind, response.Status, body)
	}
	return nil
}

// form is where a version's message has its series, and a series its samples and histograms: the numbers of the fields.
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

// MaxPointsOfSeries is how many points the series with the most points has: in a request of one window, one.
func (r Request) MaxPointsOfSeries() (int, error) {
	message, err := snappy.Decode(nil, r.Body)
	if err != nil {
		return 0, err
	}
	form, most := formOf(r.Header), 0
	err = eachField(message, func(number protowire.Number, series []byte) error {
		if number != form.series {
			return nil
		}
		points := 0
		err := eachField(series, func(number protowire.Number, _ []byte) error {
			if number == form.samples || number == form.histograms {
				points++
			}
			return nil
		})
		most = max(most, points)
		return err
	})
	return most, err
}

// eachField goes through the fields of a message that have a length.
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
