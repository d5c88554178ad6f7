package harness

// Exemplars: single samples of a series, with the ids of their traces, as receivers return them.

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
)

// Exemplar is an exemplar of a series.
type Exemplar struct {
	Series Series            // without points
	Labels map[string]string // such as trace_id
	Point                    // time and value of the sample
}

// Exemplars returns the exemplars of all series that an expression selects, in a range of time. VictoriaMetrics never has any.
func (r *Receiver) Exemplars(promql string, fromMs, toMs int64) ([]Exemplar, error) {
	parameters := url.Values{"query": {promql}, "start": {seconds(fromMs)}, "end": {seconds(toMs)}}
	body, err := r.askAPI("/query_exemplars?" + parameters.Encode())
	if err != nil {
		return nil, err
	}
	var response struct {
		Data []struct {
			SeriesLabels map[string]string
			Exemplars    []struct {
				Labels    map[string]string
				Value     string
				Timestamp float64 // seconds
			}
		}
	}
	if err := json.Unmarshal(body, &response); err != nil {
		return nil, fmt.Errorf("exemplars of %s: %w in %s", promql, err, body)
	}
	var all []Exemplar
	for _, found := range response.Data {
		series := Series{Name: found.SeriesLabels["__name__"], Labels: found.SeriesLabels}
		delete(series.Labels, "__name__")
		for _, exemplar := range found.Exemplars {
			value, err := strconv.ParseFloat(exemplar.Value, 64)
			if err != nil {
				return nil, fmt.Errorf("exemplars of %s: %w", promql, err)
			}
			point := Point{TimeMs: int64(math.Round(exemplar.Timestamp * 1000)), Value: value}
			all = append(all, Exemplar{Series: series, Labels: exemplar.Labels, Point: point})
		}
	}
	return all, nil
}
