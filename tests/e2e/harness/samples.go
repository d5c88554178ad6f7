package harness

// Single samples, as k6's own JSON output writes them.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Sample is one value that k6 measured.
type Sample struct {
	Metric   string
	Time     time.Time
	Value    float64 // in k6's unit
	Tags     map[string]string
	Metadata map[string]string
}

// ReadSamples reads the file of `--out json=…`.
func ReadSamples(path string) ([]Sample, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []Sample
	for lines := bufio.NewScanner(file); ; {
		if !lines.Scan() {
			return all, lines.Err()
		}
		var line struct {
			Type, Metric string
			Data         json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("%w in %s", err, lines.Bytes())
		}
		if line.Type != "Point" {
			continue
		}
		sample := Sample{Metric: line.Metric}
		if err := json.Unmarshal(line.Data, &sample); err != nil {
			return nil, fmt.Errorf("%w in %s", err, lines.Bytes())
		}
		all = append(all, sample)
	}
}
