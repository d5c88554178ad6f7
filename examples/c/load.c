/* Uses the library without k6: reads a file repeatedly, and sends how long that takes.
 *
 *     load URL FILE SECONDS
 *
 * See docs/abi.md for how to compile and run it. */

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "k6_remote_write.h"

/* The series of this program. */
enum { READS, READ_BYTES, READ_TIME, READS_FAILED, SERIES };

static const struct {
    const char *metric;
    uint32_t type, value_type;
} definitions[SERIES] = {
    [READS] = {"reads", K6RW_METRIC_COUNTER, K6RW_VALUE_DEFAULT},
    [READ_BYTES] = {"read_bytes", K6RW_METRIC_COUNTER, K6RW_VALUE_DATA},
    [READ_TIME] = {"read_time", K6RW_METRIC_TREND, K6RW_VALUE_TIME}, /* milliseconds here, seconds at the receiver */
    [READS_FAILED] = {"reads_failed", K6RW_METRIC_RATE, K6RW_VALUE_DEFAULT},
};

static k6rw_text text(const char *s) { return (k6rw_text){.data = s, .len = strlen(s)}; }

static double now_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Every function returns a status, and a message if that is not K6RW_OK. */
static void check(k6rw_status status, const k6rw_error *error) {
    if (status != K6RW_OK) {
        fprintf(stderr, "load: %s\n", error->message);
        exit(1);
    }
}

/* The work that is measured. Returns the size of the file, or -1. */
static long read_all(const char *path) {
    char buffer[65536];
    long size = 0;
    size_t len;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return -1;
    }
    while ((len = fread(buffer, 1, sizeof buffer, file)) > 0) {
        size += (long)len;
    }
    fclose(file);
    return size;
}

/* Prints the events of the library, which are lines for the log. */
static void print_events(k6rw_output *output) {
    k6rw_event event;
    k6rw_error error;
    while (k6rw_poll_event(output, &event, &error) == K6RW_OK) {
        if (event.level > K6RW_LEVEL_DEBUG) {
            fprintf(stderr, "load: %s %s\n", event.message, event.fields);
        }
    }
}

int main(int argc, char **argv) {
    k6rw_output *output;
    k6rw_error error;
    k6rw_text report;
    uint64_t ids[SERIES];
    char options[1024];

    if (argc != 4) {
        fprintf(stderr, "usage: load URL FILE SECONDS\n");
        return 2;
    }
    if (k6rw_abi_version() != K6RW_ABI_VERSION) {
        fprintf(stderr, "load: header and library have different ABI versions\n");
        return 1;
    }

    /* Options as in k6's JSON configuration, see docs/configuration.md. */
    snprintf(options, sizeof options, "{\"argument\": \"%s\", \"json\": {\"pushInterval\": \"1s\", \"metricPrefix\": \"load_\"}}",
             argv[1]);
    check(k6rw_open(options, strlen(options), &output, &error), &error);

    for (int i = 0; i < SERIES; i++) {
        k6rw_tag tag = {.name = text("file"), .value = text(argv[2])};
        k6rw_series series = {
            .metric = text(definitions[i].metric),
            .metric_type = definitions[i].type,
            .value_type = definitions[i].value_type,
            .tags = &tag,
            .tag_count = 1,
        };
        check(k6rw_register_series(output, &series, &ids[i], &error), &error);
    }

    for (double end = now_ms(CLOCK_MONOTONIC) + 1e3 * atof(argv[3]); now_ms(CLOCK_MONOTONIC) < end;) {
        double start = now_ms(CLOCK_MONOTONIC);
        long size = read_all(argv[2]);
        double duration = now_ms(CLOCK_MONOTONIC) - start;
        int64_t time = (int64_t)now_ms(CLOCK_REALTIME);
        k6rw_sample samples[] = {
            {.series = ids[READS], .time_ms = time, .value = 1},
            {.series = ids[READ_BYTES], .time_ms = time, .value = size < 0 ? 0 : (double)size},
            {.series = ids[READ_TIME], .time_ms = time, .value = duration},
            {.series = ids[READS_FAILED], .time_ms = time, .value = size < 0},
        };
        check(k6rw_push_batch(output, samples, sizeof samples / sizeof *samples, &error), &error);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }

    print_events(output);
    check(k6rw_close(output, &report, &error), &error); /* sends what is queued */
    printf("%.*s\n", (int)report.len, report.data);
    check(k6rw_free(output, &error), &error);
    return 0;
}
