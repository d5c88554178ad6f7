/* Assertions and helpers for all parts of the suite. */

#ifndef ABI_SUITE_H
#define ABI_SUITE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "k6_remote_write.h"

/* The parts, each in a file of its name. */
void contract(void);
void forbidden(void);
void order(void);
void run(const char *url);
void threads(const char *url);
void small_stack(const char *url);
void broken_pipe(void);
void signals(void);
void commands(void);
void lifetime(int times);

/* Counts a failure, from any thread, and prints its location. */
void expect(int ok, const char *what, const char *file, int line);
int failed(void);

#define EXPECT(condition) expect((condition) ? 1 : 0, #condition, __FILE__, __LINE__)

/* Checks the status of a call whose last argument is `&error`, and that there is a message if and only if it failed. */
#define EXPECT_STATUS(status, call)                                              \
    do {                                                                         \
        k6rw_error error;                                                        \
        k6rw_status got;                                                         \
        memset(&error, 0x55, sizeof error);                                      \
        got = (call);                                                            \
        if (got != (status)) {                                                   \
            fprintf(stderr, "got %u: %s\n", (unsigned)got, error.message);        \
        }                                                                        \
        expect(got == (status), #call, __FILE__, __LINE__);                      \
        expect(error.message_len == strlen(error.message) &&                     \
                   (error.message_len == 0) == ((status) == K6RW_OK),            \
               "message of " #call, __FILE__, __LINE__);                         \
    } while (0)

/* A configuration without a receiver, which does not wait for one at the end. */
#define NOWHERE "{\"argument\": \"http://127.0.0.1:1/\", \"json\": {\"pushInterval\": \"1h\", \"flushTimeout\": \"0s\", \"unsentDirectory\": \"\"}}"

/* Opens an output to a URL, with windows of 100 ms. */
k6rw_output *open_to(const char *url);

static inline k6rw_text text(const char *s) {
    k6rw_text result;
    result.data = s;
    result.len = strlen(s);
    return result;
}

static inline k6rw_exemplar exemplar_of(k6rw_sample sample, const k6rw_tag *metadata, size_t metadata_count) {
    k6rw_exemplar exemplar;
    exemplar.sample = sample;
    exemplar.metadata = metadata;
    exemplar.metadata_count = metadata_count;
    return exemplar;
}

static inline k6rw_series series_of(const char *metric, uint32_t metric_type, const k6rw_tag *tags, size_t tag_count) {
    k6rw_series series;
    series.metric = text(metric);
    series.metric_type = metric_type;
    series.value_type = K6RW_VALUE_DEFAULT;
    series.tags = tags;
    series.tag_count = tag_count;
    return series;
}

static inline k6rw_sample sample_of(uint64_t series, double value) {
    k6rw_sample sample;
    sample.series = series;
    sample.time_ms = 0;
    sample.value = value;
    return sample;
}

/* Returns 1 if `whole` contains `part`. */
static inline int holds(k6rw_text whole, const char *part) {
    size_t len = strlen(part), i;
    for (i = 0; i + len <= whole.len; i++) {
        if (memcmp(whole.data + i, part, len) == 0) {
            return 1;
        }
    }
    return 0;
}

#endif
