package harness

// k6's log, line by line.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// LogLine is a line of k6's log.
type LogLine struct {
	Level   string // as in the log: "info", "warning", "error"
	Message string
	Time    time.Time
	Fields  map[string]any // all fields of the line
}

// String formats the line for test failures.
func (l LogLine) String() string {
	var fields strings.Builder
	for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
		if name != "level" && name != "msg" && name != "time" {
			fmt.Fprintf(&fields, " %s=%v", name, l.Fields[name])
		}
	}
	return l.Level + ": " + l.Message + fields.String()
}

// readLog reads k6's JSON log. Text that is not JSON (a stack trace) becomes a line without a level.
func readLog(output []byte) []LogLine {
	var log []LogLine
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, len(output)+1)
	for lines.Scan() {
		line := LogLine{}
		if err := json.Unmarshal(lines.Bytes(), &line.Fields); err != nil {
			line.Message = lines.Text()
		} else {
			line.Level, _ = line.Fields["level"].(string)
			line.Message, _ = line.Fields["msg"].(string)
			stamp, _ := line.Fields["time"].(string)
			line.Time, _ = time.Parse(time.RFC3339, stamp) // k6 logs whole seconds
		}
		log = append(log, line)
	}
	return log
}
