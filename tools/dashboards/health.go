package main

// Dashboard "health of the output": does everything that k6 measures arrive?

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// mebibyte is 1 MiB in bytes; queueBytes is 64 MiB by default.
const mebibyte = 1 << 20

// own returns a self metric of the selected destinations.
func own(metric string) string {
	return where("k6_remote_write_"+metric, `destination=~"$destination"`)
}

// outputHealth builds the dashboard.
func outputHealth() *dashboard.DashboardBuilder {
	byDestination := func(metric string) *target {
		return line(sum(own(metric), lately, "destination"), "destination {{destination}}")
	}
	byInstance := []string{"$instance_by", "destination"}
	return ofRuns("k6-rw-output-health", "k6 run: health of the output",
		"Whether all measurements arrive, from the self metrics of the output (selfMetrics, on by default). "+
			"Each window's delivery is reported with the next one; the final figures are in k6's log.",
		[]variable{several("destination", "Destination", "Receivers of one run, counted from 1.",
			`label_values(k6_remote_write_samples_sent_total{$run_by=~"$run"}, destination)`)},
		under("The run",
			single("Sent", "Points that the receiver accepted.",
				units.Short, sum(own("samples_sent_total"), sofar)),
			single("Failed", "Points that the receiver rejected: they are lost. k6's log has its message.",
				units.Short, sum(own("samples_failed_total"), sofar)).Thresholds(none(wrong)),
			single("Dropped", "Points that a full queue dropped: they are lost.",
				units.Short, sum(own("samples_dropped_total"), sofar)).Thresholds(none(wrong)),
			single("Retried", "Points that were sent again, since the receiver was down or busy. They are not lost.",
				units.Short, sum(own("samples_retried_total"), sofar)).Thresholds(none(doubt)),
			single("Largest queue", "Maximum size of the queue. Above queueBytes, by default 64 MiB, the oldest points are dropped.",
				units.BytesIEC, highest(own("queue_bytes_max"), sofar)).Thresholds(badFrom(32*mebibyte, 60*mebibyte)),
			single("Slowest request", "Limited by timeout, by default 5 s.",
				units.Seconds, highest(own("sent_batch_duration_max"), sofar)).Thresholds(badFrom(1, 5)),
		),
		under("In and out",
			lines("Samples in", "What k6 measured, each second.", units.CountsPerSecond, byDestination("samples_in_total")),
			lines("Points out", "Points that the receiver accepted per second: one for each series and window, whatever the number of samples.",
				units.CountsPerSecond, byDestination("samples_sent_total")),
			lines("Waiting", "Maximum of points that waited when a window ended. If it does not return to 0, the receiver is slower than the run.",
				units.Short, line(highest(own("samples_pending_highest"), lately, "destination"), "destination {{destination}}")),
			lines("Lost or retried", "Points per second.", units.CountsPerSecond,
				line(sum(own("samples_failed_total"), lately), "refused"),
				line(sum(own("samples_dropped_total"), lately), "dropped"),
				line(sum(own("samples_retried_total"), lately), "sent again")).
				Thresholds(steps(well, step{0.001, doubt})).ThresholdsStyle(shaded()),
		),
		under("Requests",
			lines("Requests per second", "By destination.", units.RequestsPerSecond, byDestination("sent_batch_duration_count")),
			lines("Duration of requests", "Mean, and the slowest of each window.", units.Seconds,
				line(sum(own("sent_batch_duration_sum"), lately)+" / "+sum(own("sent_batch_duration_count"), lately), "mean"),
				line(highest(own("sent_batch_duration_max"), lately), "slowest")).
				Thresholds(badFrom(1, 5)).ThresholdsStyle(shaded()),
			lines("Bytes sent", "Compressed, per second.", units.BytesPerSecondSI, byDestination("bytes_sent_total")),
			lines("Bytes per point", "Grows with the variety of labels, and with small requests.", units.BytesSI,
				line(sum(own("bytes_sent_total"), lately)+" / "+sum(own("samples_sent_total"), lately), "all destinations")),
		),
		under("Instances",
			listing("Instances", "Each runner of a distributed run, and each destination of it.",
				column{"Samples in", units.Short, sum(own("samples_in_total"), sofar, byInstance...)},
				column{"Sent", units.Short, sum(own("samples_sent_total"), sofar, byInstance...)},
				column{"Failed", units.Short, sum(own("samples_failed_total"), sofar, byInstance...)},
				column{"Dropped", units.Short, sum(own("samples_dropped_total"), sofar, byInstance...)},
				column{"Retried", units.Short, sum(own("samples_retried_total"), sofar, byInstance...)},
				column{"Largest queue", units.BytesIEC, highest(own("queue_bytes_max"), sofar, byInstance...)},
			),
		),
	)
}
