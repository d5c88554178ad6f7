/* Uses the header as a C program would: first all that it forbids, which must be answered, then a whole run, whose points the
 * caller of this program looks for at the receiver. Compiles as C11 and as C++17.
 *
 *     abi URL
 *
 * Ends with 0 if every answer was the expected one. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "k6_remote_write.h"

static int failures = 0;

static void expect(int ok, const char *what, int line) {
    if (!ok) {
        fprintf(stderr, "abi.c:%d: %s\n", line, what);
        failures++;
    }
}

#define EXPECT(condition) expect((condition), #condition, __LINE__)

/* The status, and with it a message exactly when there is something to say. */
#define EXPECT_STATUS(status, call)                                       \
    do {                                                                  \
        memset(&error, 0x55, sizeof error);                               \
        k6rw_status got = (call);                                         \
        if (got != (status)) {                                            \
            fprintf(stderr, "got %u: %s\n", (unsigned)got, error.message); \
        }                                                                 \
        expect(got == (status), #call, __LINE__);                         \
        EXPECT(error.message_len == strlen(error.message));               \
        EXPECT((error.message_len == 0) == ((status) == K6RW_OK));        \
    } while (0)

static k6rw_error error;

static k6rw_text text(const char *s) {
    k6rw_text result;
    result.data = s;
    result.len = strlen(s);
    return result;
}

static k6rw_status open_json(const char *json, k6rw_output **output) {
    return k6rw_open(json, strlen(json), output, &error);
}

static k6rw_series series_of(const char *metric, uint32_t metric_type, const k6rw_tag *tags, size_t tag_count) {
    k6rw_series series;
    series.metric = text(metric);
    series.metric_type = metric_type;
    series.contents = K6RW_PLAIN;
    series.tags = tags;
    series.tag_count = tag_count;
    return series;
}

static void versions(void) {
    k6rw_text version = k6rw_version();
    EXPECT(k6rw_abi_version() == K6RW_ABI_VERSION);
    EXPECT(version.len > 0 && memchr(version.data, '.', version.len) != NULL);
}

static void invalid_opens(void) {
    static const char latin1[] = "{\"argument\": \"http://h\xe4lt/\"}";
    k6rw_output *output = NULL;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_open("{}", 2, NULL, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_open(NULL, 2, &output, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_open("{}", (size_t)-1, &output, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, k6rw_open(NULL, 0, &output, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, open_json("[]", &output));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, open_json("{\"arguments\": \"\"}", &output));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, k6rw_open(latin1, sizeof latin1 - 1, &output, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, open_json("{\"argument\": \"ftp://example.com\"}", &output));
    EXPECT(strstr(error.message, "http or https") != NULL);
    EXPECT(k6rw_open("[]", 2, &output, NULL) == K6RW_INVALID_CONFIG);
    EXPECT(output == NULL);
}

static void invalid_handles(void) {
    int somewhere = 0;
    k6rw_output *foreign = (k6rw_output *)(void *)&somewhere;
    k6rw_sample sample = {1, 0, 1.0};
    k6rw_event event;
    k6rw_text report;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_push(NULL, 1, 0, 1.0, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_close(NULL, &report, &error));
    EXPECT_STATUS(K6RW_INVALID_HANDLE, k6rw_push_batch(foreign, &sample, 1, &error));
    EXPECT_STATUS(K6RW_INVALID_HANDLE, k6rw_poll_event(foreign, &event, &error));
    EXPECT_STATUS(K6RW_INVALID_HANDLE, k6rw_close(foreign, &report, &error));
    EXPECT_STATUS(K6RW_INVALID_HANDLE, k6rw_hurry(foreign, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_hurry(NULL, &error));
    EXPECT_STATUS(K6RW_INVALID_HANDLE, k6rw_free(foreign, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_free(NULL, &error));
    EXPECT(k6rw_free(NULL, NULL) == K6RW_OK);
}

static void invalid_series(k6rw_output *output) {
    static const char wrong[] = {'a', (char)0xff};
    uint64_t id = 0;
    k6rw_tag tag;
    k6rw_series series = series_of("m", K6RW_COUNTER, NULL, 0);
    tag.name = text("name");
    tag.value.data = wrong;
    tag.value.len = sizeof wrong;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_register_series(output, NULL, &id, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_register_series(output, &series, NULL, &error));
    series.tag_count = 1;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_register_series(output, &series, &id, &error));
    series.tags = &tag;
    EXPECT_STATUS(K6RW_INVALID_UTF8, k6rw_register_series(output, &series, &id, &error));
    tag.value.data = NULL;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_register_series(output, &series, &id, &error));
    tag.value.data = wrong;
    tag.value.len = (size_t)-1;
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_register_series(output, &series, &id, &error));
    series.tag_count = (size_t)-1;
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_register_series(output, &series, &id, &error));
    series.tag_count = 0;
    series.metric_type = 4;
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_register_series(output, &series, &id, &error));
    series.metric_type = K6RW_RATE;
    series.contents = 99;
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_register_series(output, &series, &id, &error));
    EXPECT(id == 0);
}

static void invalid_samples(k6rw_output *output, uint64_t id) {
    k6rw_sample samples[3] = {{0, 0, 1.0}, {0, 0, 100.0}, {0, 0, 2.0}};
    samples[0].series = id;
    samples[1].series = id + 1000;
    samples[2].series = id;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_push_batch(output, NULL, 1, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_push_batch(output, samples, (size_t)-1, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_push_batch(output, NULL, 0, &error));
    EXPECT_STATUS(K6RW_UNKNOWN_SERIES, k6rw_push(output, 0, 0, 1.0, &error));
    EXPECT_STATUS(K6RW_UNKNOWN_SERIES, k6rw_push(output, UINT64_MAX, 0, 1.0, &error));
    /* The known ones are taken: 3 in all. */
    EXPECT_STATUS(K6RW_UNKNOWN_SERIES, k6rw_push_batch(output, samples, 3, &error));
}

static void closed(k6rw_output *output, uint64_t id) {
    k6rw_sample sample = {0, 0, 1.0};
    k6rw_event event;
    k6rw_text report;
    k6rw_series series = series_of("m", K6RW_COUNTER, NULL, 0);
    sample.series = id;
    EXPECT_STATUS(K6RW_CLOSED, k6rw_push(output, id, 0, 1.0, &error));
    EXPECT_STATUS(K6RW_CLOSED, k6rw_push_batch(output, &sample, 1, &error));
    EXPECT_STATUS(K6RW_CLOSED, k6rw_register_series(output, &series, &id, &error));
    EXPECT_STATUS(K6RW_CLOSED, k6rw_poll_event(output, &event, &error));
    EXPECT_STATUS(K6RW_CLOSED, k6rw_description(output, &report, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_hurry(output, &error));
    EXPECT_STATUS(K6RW_CLOSED, k6rw_close(output, &report, &error));
}

static void whole_run(const char *url) {
    char json[512];
    k6rw_tag tags[2];
    k6rw_series series;
    k6rw_sample batch[1000];
    k6rw_output *output = NULL;
    k6rw_event event;
    k6rw_text description = {NULL, 0}, report = {NULL, 0};
    uint64_t counter = 0, ignored = 0;
    size_t i;
    snprintf(json, sizeof json, "{\"argument\": \"%s\", \"json\": {\"pushInterval\": \"100ms\"}}", url);
    EXPECT_STATUS(K6RW_OK, open_json(json, &output));
    if (output == NULL) {
        return;
    }
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_description(output, NULL, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_description(output, &description, &error));
    EXPECT(description.len > 0 && memcmp(description.data, url, strlen(url)) == 0);

    invalid_series(output);
    tags[0].name = text("method");
    tags[0].value = text("GET");
    tags[1].name = text("empty");
    tags[1].value = text("");
    series = series_of("abi_requests", K6RW_COUNTER, tags, 2);
    EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, &counter, &error));
    EXPECT(counter == 1);
    invalid_samples(output, counter);

    EXPECT_STATUS(K6RW_NO_EVENT, k6rw_poll_event(output, &event, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_poll_event(output, NULL, &error));
    series = series_of("not a name", K6RW_GAUGE, NULL, 0);
    EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, &ignored, &error));

    /* 1 + 1000 more, 1004 in all. */
    EXPECT_STATUS(K6RW_OK, k6rw_push(output, counter, 1700000000000, 1.0, &error));
    for (i = 0; i < 1000; i++) {
        batch[i].series = counter;
        batch[i].time_ms = 0;
        batch[i].value = 1.0;
    }
    EXPECT_STATUS(K6RW_OK, k6rw_push_batch(output, batch, 1000, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_close(output, NULL, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_close(output, &report, &error));
    if (report.len > 0) {
        /* Samples, not their sum: 2 known ones of the batch of three, and 1001. */
        char *copy = (char *)calloc(report.len + 1, 1);
        if (copy != NULL) {
            memcpy(copy, report.data, report.len);
            EXPECT(strstr(copy, "\"samples\":1003,") != NULL);
            EXPECT(strstr(copy, "k6_not a name") != NULL);
            free(copy);
        }
    }
    EXPECT(report.len > 0);
    closed(output, counter);
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
    EXPECT_STATUS(K6RW_INVALID_HANDLE, k6rw_free(output, &error));
    EXPECT_STATUS(K6RW_INVALID_HANDLE, k6rw_push(output, counter, 0, 1.0, &error));

    /* Freed while still open: closed first. */
    EXPECT_STATUS(K6RW_OK, open_json(json, &output));
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: abi URL\n");
        return 2;
    }
    versions();
    invalid_opens();
    invalid_handles();
    whole_run(argv[1]);
    return failures == 0 ? 0 : 1;
}
