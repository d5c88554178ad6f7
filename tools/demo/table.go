package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/k6-remote-write/k6-remote-write/tests/e2e/harness"
)

// unshown are metrics that are compared but shown only if they differ: the phases of a request need too much space.
var unshown = []string{
	"http_req_blocked", "http_req_connecting", "http_req_tls_handshaking", "http_req_sending", "http_req_waiting",
	"http_req_receiving", "group_duration", "iteration_duration",
}

// printTable prints the numbers side by side, and the query of each, for use in the receiver's UI.
func printTable(out io.Writer, kind harness.Kind, rows []harness.Row) {
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "metric\t\tk6's summary\t%s\tequal\tasked with\n", kind)
	hidden := 0
	for _, row := range rows {
		if row.Equal && slices.Contains(unshown, row.Metric) {
			hidden++
			continue
		}
		received, equal := spell(row.Receiver), "yes"
		if row.Missing {
			received = "no series"
		}
		if !row.Equal {
			equal = "NO"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", row.Metric, row.Statistic, spell(row.K6), received, equal, row.Query)
	}
	table.Flush()
	fmt.Fprintf(out, "\n%d numbers compared, %d differ. Not shown: %d equal ones of the phases of requests and iterations.\n",
		len(rows), len(harness.Unequal(rows)), hidden)
}

// spell formats integers exactly, and other numbers (mostly seconds) with a few significant digits.
func spell(number float64) string {
	if number == math.Trunc(number) {
		return strconv.FormatFloat(number, 'f', -1, 64)
	}
	return strconv.FormatFloat(number, 'g', 9, 64)
}
