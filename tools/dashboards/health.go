package main

// Does all that k6 measures arrive?

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// mebibyte is a unit of queueBytes, of which there are 64 by default.
const mebibyte = 1 << 20

// own is a metric of the output's own, of the chosen destinations.
func own(metric string) string {
	return where("k6_remote_write_"+metric, `destination=~"$destination"`)
}

// outputHealth answers: does all that k6 measures arrive?
func outputHealth() *dashboard.DashboardBuilder {
	byDestination := func(metric string) *target {
		return line(sum(own(metric), lately, "destination"), "destination {{destination}}")
	}
	byInstance := []string{"$instance_by", "destination"}
	return ofRuns("k6-rw-output-health", "k6 run: health of the output",
		"Whether all that k6 measures arrives, from what the output tells of itself (selfMetrics, on by default). "+
			"What became of a window is told with the next; the last word has k6's log.",
		[]variable{several("destination", "Destination", "Receivers of one run, counted from 1.",
			`label_values(k6_remote_write_samples_sent_total{$run_by=~"$run"}, destination)`)},
		under("The run so far, or as it ended",
			single("Delivered", "Points that the receiver has.",
				units.Short, sum(own("samples_sent_total"), sofar)),
			single("Refused", "Points that the receiver refused for good: they are lost. k6's log has its words.",
				units.Short, sum(own("samples_failed_total"), sofar)).Thresholds(none(wrong)),
			single("Dropped", "Points that the full queue had no room for: they are lost.",
				units.Short, sum(own("samples_dropped_total"), sofar)).Thresholds(none(wrong)),
			single("Sent again", "Points that were sent more than once, since the receiver was away or busy. Nothing is lost by that.",
				units.Short, sum(own("samples_retried_total"), sofar)).Thresholds(none(doubt)),
			single("Longest queue", "The most bytes that ever waited. The oldest are dropped at queueBytes, by default 64 MiB.",
				units.BytesIEC, highest(own("queue_bytes_max"), sofar)).Thresholds(badFrom(32*mebibyte, 60*mebibyte)),
			single("Slowest request", "To the receiver. Given up after timeout, by default 5 s.",
				units.Seconds, highest(own("sent_batch_duration_max"), sofar)).Thresholds(badFrom(1, 5)),
		),
		under("What goes in, and what comes out",
			lines("Samples in", "What k6 measured, each second.", units.CountsPerSecond, byDestination("samples_in_total")),
			lines("Points out", "What the receiver took, each second: a point for each series and window, whatever the number of samples.",
				units.CountsPerSecond, byDestination("samples_sent_total")),
			lines("Waiting", "Most points that waited when a window ended. If it does not come back to 0, the receiver is slower than the run.",
				units.Short, line(highest(own("samples_pending_highest"), lately, "destination"), "destination {{destination}}")),
			lines("Lost or sent again", "Points a second.", units.CountsPerSecond,
				line(sum(own("samples_failed_total"), lately), "refused"),
				line(sum(own("samples_dropped_total"), lately), "dropped"),
				line(sum(own("samples_retried_total"), lately), "sent again")).
				Thresholds(steps(well, step{0.001, doubt})).ThresholdsStyle(shaded()),
		),
		under("Requests",
			lines("Requests a second", "By destination.", units.RequestsPerSecond, byDestination("sent_batch_duration_count")),
			lines("Duration of requests", "Mean, and the slowest of each window.", units.Seconds,
				line(sum(own("sent_batch_duration_sum"), lately)+" / "+sum(own("sent_batch_duration_count"), lately), "mean"),
				line(highest(own("sent_batch_duration_max"), lately), "slowest")).
				Thresholds(badFrom(1, 5)).ThresholdsStyle(shaded()),
			lines("Bytes sent", "Compressed, each second.", units.BytesPerSecondSI, byDestination("bytes_sent_total")),
			lines("Bytes for a point", "Labels that differ much, and small requests, make it grow.", units.BytesSI,
				line(sum(own("bytes_sent_total"), lately)+" / "+sum(own("samples_sent_total"), lately), "all destinations")),
		),
		under("Instances",
			listing("Instances", "Each runner of a distributed run, and each destination of it.",
				column{"Samples in", units.Short, sum(own("samples_in_total"), sofar, byInstance...)},
				column{"Delivered", units.Short, sum(own("samples_sent_total"), sofar, byInstance...)},
				column{"Refused", units.Short, sum(own("samples_failed_total"), sofar, byInstance...)},
				column{"Dropped", units.Short, sum(own("samples_dropped_total"), sofar, byInstance...)},
				column{"Sent again", units.Short, sum(own("samples_retried_total"), sofar, byInstance...)},
				column{"Longest queue", units.BytesIEC, highest(own("queue_bytes_max"), sofar, byInstance...)},
			),
		),
	)
}
