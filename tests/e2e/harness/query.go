package harness

// What a receiver answers to PromQL. Everything that was written before the first question is in the answer. Ask
// VictoriaMetrics after a run only: which series it found for a question it remembers for some 10 s, so that it misses
// those that came since.

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

// Series is one series of an answer: its labels, without the name's, and its points in the order of time.
type Series struct {
	Name   string
	Labels map[string]string
	Points []Point
}

// Point is one value at one time; of a native histogram, its count.
type Point struct {
	TimeMs int64
	Value  float64
}

// Last is the series' latest point.
func (s Series) Last() Point { return s.Points[len(s.Points)-1] }

// Query asks at the present moment. A raw selector (`x[5m]`) answers with the stored points.
func (r *Receiver) Query(promql string) ([]Series, error) {
	return r.QueryAt(promql, time.Now().UnixMilli())
}

// QueryAt asks at a moment.
func (r *Receiver) QueryAt(promql string, timeMs int64) ([]Series, error) {
	return r.ask("/query", url.Values{"query": {promql}, "time": {seconds(timeMs)}})
}

// QueryRange asks for the steps from one moment to another.
func (r *Receiver) QueryRange(promql string, fromMs, toMs int64, step time.Duration) ([]Series, error) {
	return r.ask("/query_range", url.Values{
		"query": {promql}, "start": {seconds(fromMs)}, "end": {seconds(toMs)},
		"step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
}

// LabelValues asks for all values of a label, of the series that a selector finds; of all series if it is empty.
func (r *Receiver) LabelValues(label, selector string, fromMs, toMs int64) ([]string, error) {
	if err := r.flush(); err != nil {
		return nil, err
	}
	question := url.Values{"start": {seconds(fromMs)}, "end": {seconds(toMs)}}
	if selector != "" {
		question.Set("match[]", selector)
	}
	body, err := r.askAPI("/label/" + label + "/values?" + question.Encode())
	if err != nil {
		return nil, err
	}
	var answer struct{ Data []string }
	err = json.Unmarshal(body, &answer)
	return answer.Data, err
}

// Number asks for one value. There is none when no series matches.
func (r *Receiver) Number(promql string) (value float64, there bool, err error) {
	return r.NumberAt(promql, time.Now().UnixMilli())
}

// NumberAt asks for one value at a moment.
func (r *Receiver) NumberAt(promql string, timeMs int64) (value float64, there bool, err error) {
	series, err := r.QueryAt(promql, timeMs)
	switch {
	case err != nil:
		return 0, false, err
	case len(series) == 0:
		return 0, false, nil
	case len(series) > 1:
		return 0, false, fmt.Errorf("%s: one value was asked for, %d series came", promql, len(series))
	}
	return series[0].Last().Value, true, nil
}

// answer is the JSON of both programs' query API.
type answer struct {
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

func (r *Receiver) ask(path string, question url.Values) ([]Series, error) {
	if err := r.flush(); err != nil {
		return nil, err
	}
	question.Set("nocache", "1") // VictoriaMetrics would answer from what it answered before
	body, err := r.askAPI(path + "?" + question.Encode())
	if err != nil {
		return nil, err
	}
	var answer answer
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w in %s", question.Get("query"), err, body)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", question.Get("query"), answer.Error)
	}
	var all []Series
	for _, result := range answer.Data.Result {
		series := Series{Name: result.Metric["__name__"], Labels: result.Metric}
		delete(series.Labels, "__name__")
		points := result.Values
		if result.Value != nil {
			points = append(points, *result.Value)
		}
		for _, histogram := range result.Histograms {
			points = append(points, rawPoint(histogram))
		}
		for _, point := range points {
			if !math.IsNaN(point.Value) { // a stale marker, which VictoriaMetrics shows and Prometheus does not
				series.Points = append(series.Points, Point(point))
			}
		}
		all = append(all, series)
	}
	return all, nil
}

// rawPoint is a point as JSON has it: [seconds, "value"].
type rawPoint Point

func (p *rawPoint) UnmarshalJSON(data []byte) error {
	var value string
	return (*Point)(p).read(data, &value, &value)
}

// rawHistogram is a native histogram as JSON has it: [seconds, {"count": "value", …}].
type rawHistogram Point

func (h *rawHistogram) UnmarshalJSON(data []byte) error {
	var histogram struct{ Count string }
	return (*Point)(h).read(data, &histogram, &histogram.Count)
}

// read reads the pair of a time and something that has, once it is read, a number as a text.
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

// seconds spells a time as the query API wants it, to the millisecond.
func seconds(timeMs int64) string {
	return fmt.Sprintf("%d.%03d", timeMs/1000, timeMs%1000)
}

// askAPI asks Prometheus's query API.
func (r *Receiver) askAPI(path string) ([]byte, error) {
	return r.get(flavours[r.Kind].apiPrefix + "/api/v1" + path)
}

func (r *Receiver) get(path string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, r.URL+path, nil)
	if err != nil {
		return nil, err
	}
	if r.Tenant != "" {
		request.Header.Set("X-Scope-OrgID", r.Tenant)
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
		return nil, fmt.Errorf("%s answered %s to %s: %s", r.Kind, response.Status, path, body)
	}
	return body, nil
}
