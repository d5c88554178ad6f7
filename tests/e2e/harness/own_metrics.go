package harness

// A receiver's own metrics: its /metrics page.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// OwnMetric sums the series of one of the receiver's own metrics whose labels pass the filter. An unknown metric is an
// error, so that a wrong name does not count as zero.
func (r *Receiver) OwnMetric(name string, filter func(labels string) bool) (float64, error) {
	page, err := r.get("/metrics")
	if err != nil {
		return 0, err
	}
	sum, found := 0.0, false
	lines := bufio.NewScanner(bytes.NewReader(page))
	for lines.Scan() {
		line := lines.Text()
		valueAt := strings.LastIndexByte(line, ' ') + 1 // label values may contain spaces
		series, labels, _ := strings.Cut(strings.TrimSpace(line[:valueAt]), "{")
		if series != name {
			continue
		}
		found = true
		if !filter(strings.TrimSuffix(labels, "}")) {
			continue
		}
		number, err := strconv.ParseFloat(line[valueAt:], 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		sum += number
	}
	if !found {
		return 0, fmt.Errorf("%s has no metric %s", r.Kind, name)
	}
	return sum, lines.Err()
}

// AnyLabels is a filter that passes all series.
func AnyLabels(string) bool { return true }

// Metadata is the type, help and unit of a metric, as stored by a receiver.
type Metadata struct{ Type, Help, Unit string }

// Metadata returns the metadata of all metrics by name.
func (r *Receiver) Metadata() (map[string][]Metadata, error) {
	if err := r.flush(); err != nil {
		return nil, err
	}
	body, err := r.askAPI("/metadata")
	if err != nil {
		return nil, err
	}
	var response struct{ Data map[string][]Metadata }
	err = json.Unmarshal(body, &response)
	return response.Data, err
}
