package harness

// PromQL queries to a receiver. The first query returns everything that was written before it. Query VictoriaMetrics only
// after a run: it caches for about 10 s which series match a query, so that it does not find newer ones.

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Series is a series of a result: its labels, without __name__, and its points in the order of time.
type Series struct {
	Name   string
	Labels map[string]string
	Points []Point
}

// Point is a value at a time; of a native histogram, its count.
type Point struct {
	TimeMs int64
	Value  float64
}

// Last returns the series' latest point.
func (s Series) Last() Point { return s.Points[len(s.Points)-1] }

// Query runs an instant query at the current time. A range selector (`x[5m]`) returns the stored points.
func (r *Receiver) Query(promql string) ([]Series, error) {
	return r.QueryAt(promql, time.Now().UnixMilli())
}

// QueryAt runs an instant query at a time.
func (r *Receiver) QueryAt(promql string, timeMs int64) ([]Series, error) {
	return r.query("/query", url.Values{"query": {promql}, "time": {seconds(timeMs)}})
}

// QueryRange runs a range query.
func (r *Receiver) QueryRange(promql string, fromMs, toMs int64, step time.Duration) ([]Series, error) {
	return r.query("/query_range", url.Values{
		"query": {promql}, "start": {seconds(fromMs)}, "end": {seconds(toMs)},
		"step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
}

// LabelValues returns all values of a label, of the series that match the selector; of all series if it is empty.
func (r *Receiver) LabelValues(label, selector string, fromMs, toMs int64) ([]string, error) {
	if err := r.flush(); err != nil {
		return nil, err
	}
	parameters := url.Values{"start": {seconds(fromMs)}, "end": {seconds(toMs)}}
	if selector != "" {
		parameters.Set("match[]", selector)
	}
	body, err := r.askAPI("/label/" + label + "/values?" + parameters.Encode())
	if err != nil {
		return nil, err
	}
	var response struct{ Data []string }
	err = json.Unmarshal(body, &response)
	return response.Data, err
}

// Number returns the value of an instant query with at most one series; found is false if no series matches.
func (r *Receiver) Number(promql string) (value float64, found bool, err error) {
	return r.NumberAt(promql, time.Now().UnixMilli())
}

// NumberAt is Number at a time.
func (r *Receiver) NumberAt(promql string, timeMs int64) (value float64, found bool, err error) {
	series, err := r.QueryAt(promql, timeMs)
	switch {
	case err != nil:
		return 0, false, err
	case len(series) == 0:
		return 0, false, nil
	case len(series) > 1:
		return 0, false, fmt.Errorf("%s: expected one series, got %d", promql, len(series))
	}
	return series[0].Last().Value, true, nil
}

// queryResponse is the JSON of Prometheus's query API, which all receivers have.
type queryResponse struct {
	Status string
	Error  string
	Data   struct {
		Result []struct {
			Metric     map[string]string
			Value      *rawPoint      // of a vector
			Values     []rawPoint     // of a matrix
			Histograms []rawHistogram // of a matrix
		}
	}
}

func (r *Receiver) query(path string, parameters url.Values) ([]Series, error) {
	if err := r.flush(); err != nil {
		return nil, err
	}
	parameters.Set("nocache", "1") // disables VictoriaMetrics's cache of results
	body, err := r.askAPI(path + "?" + parameters.Encode())
	if err != nil {
		return nil, err
	}
	var response queryResponse
	if err := json.Unmarshal(body, &response); err != nil {
		return nil, fmt.Errorf("%s: %w in %s", parameters.Get("query"), err, body)
	}
	if response.Status != "success" {
		return nil, fmt.Errorf("%s: %s", parameters.Get("query"), response.Error)
	}
	var all []Series
	for _, result := range response.Data.Result {
		series := Series{Name: result.Metric["__name__"], Labels: result.Metric}
		delete(series.Labels, "__name__")
		for _, added := range flavours[r.Kind].adds {
			delete(series.Labels, added)
		}
		points := result.Values
		if result.Value != nil {
			points = append(points, *result.Value)
		}
		for _, histogram := range result.Histograms {
			points = append(points, rawPoint(histogram))
		}
		for _, point := range points {
			if !math.IsNaN(point.Value) { // a stale marker, which VictoriaMetrics returns and Prometheus does not
				series.Points = append(series.Points, Point(point))
			}
		}
		all = append(all, series)
	}
	return all, nil
}

// rawPoint is a point in JSON: [seconds, "value"].
type rawPoint Point

func (p *rawPoint) UnmarshalJSON(data []byte) error {
	var value string
	return (*Point)(p).read(data, &value, &value)
}

// rawHistogram is a native histogram in JSON: [seconds, {"count": "value", …}].
type rawHistogram Point

func (h *rawHistogram) UnmarshalJSON(data []byte) error {
	var histogram struct{ Count string }
	return (*Point)(h).read(data, &histogram, &histogram.Count)
}

// read reads a pair of a time and a value, which contains a number as a string.
func (p *Point) read(data []byte, something any, number *string) error {
	var timeSeconds float64
	if err := json.Unmarshal(data, &[]any{&timeSeconds, something}); err != nil {
		return err
	}
	p.TimeMs = int64(math.Round(timeSeconds * 1000))
	var err error
	p.Value, err = strconv.ParseFloat(*number, 64)
	return err
}

// seconds formats a time for the query API, with milliseconds.
func seconds(timeMs int64) string {
	return fmt.Sprintf("%d.%03d", timeMs/1000, timeMs%1000)
}

// askAPI sends a request to Prometheus's query API.
func (r *Receiver) askAPI(path string) ([]byte, error) {
	return r.queried().get(flavours[r.queried().Kind].apiPrefix + "/api/v1" + path)
}

func (r *Receiver) get(path string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, r.URL+path, nil)
	if err != nil {
		return nil, err
	}
	if header := flavours[r.Kind].tenant; header != "" && r.Tenant != "" {
		request.Header.Set(header, r.Tenant)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		return nil, fmt.Errorf("%s responded with %s to %s: %s", r.Kind, response.Status, path, body)
	}
	return body, nil
}
