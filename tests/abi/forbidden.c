/* Invalid arguments, which must be errors: NULL, wrong lengths, values and alignment, bytes that are not UTF-8, unknown ids and
 * handles. */

#include "suite.h"

static void opens(void) {
    static const char latin1[] = "{\"argument\": \"http://h\xe4lt/\"}";
    static const char wrong[] = "{\"argument\": \"ftp://example.com\"}";
    k6rw_output *output = NULL;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_open("{}", 2, NULL, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_open(NULL, 2, &output, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_open("{}", (size_t)-1, &output, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, k6rw_open(NULL, 0, &output, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, k6rw_open("[]", 2, &output, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, k6rw_open("{\"a\": 1}", 8, &output, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, k6rw_open(latin1, sizeof latin1 - 1, &output, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, k6rw_open(wrong, sizeof wrong - 1, &output, &error));
    /* The error may be NULL. */
    EXPECT(k6rw_open("[]", 2, &output, NULL) == K6RW_INVALID_CONFIG);
    EXPECT(output == NULL);
}

/* Calls every function that takes a handle with an invalid one. */
static void handle(k6rw_output *invalid, k6rw_status status) {
    k6rw_series series = series_of("m", K6RW_METRIC_COUNTER, NULL, 0);
    k6rw_sample sample = sample_of(1, 1.0);
    k6rw_exemplar exemplar = exemplar_of(sample, NULL, 0);
    k6rw_event event;
    k6rw_text out;
    uint64_t id = 0;
    EXPECT_STATUS(status, k6rw_description(invalid, &out, &error));
    EXPECT_STATUS(status, k6rw_register_series(invalid, &series, &id, &error));
    EXPECT_STATUS(status, k6rw_push(invalid, 1, 0, 1.0, &error));
    EXPECT_STATUS(status, k6rw_push_batch(invalid, &sample, 1, &error));
    EXPECT_STATUS(status, k6rw_push_exemplars(invalid, &exemplar, 1, &error));
    EXPECT_STATUS(status, k6rw_exemplar_names(invalid, &out, &error));
    EXPECT_STATUS(status, k6rw_poll_event(invalid, &event, &error));
    EXPECT_STATUS(status, k6rw_close(invalid, &out, &error));
    EXPECT_STATUS(status, k6rw_cancel_flush(invalid, &error));
    EXPECT_STATUS(invalid == NULL ? K6RW_OK : status, k6rw_free(invalid, &error));
    EXPECT_STATUS(status, k6rw_push_batch(invalid, NULL, 1, &error)); /* before any other error */
    EXPECT_STATUS(status, k6rw_push_exemplars(invalid, NULL, 1, &error));
    EXPECT(k6rw_push_batch(invalid, &sample, 1, NULL) == status);
}

static void handles(k6rw_output *valid) {
    int unrelated = 0;
    handle(NULL, K6RW_NULL_POINTER);
    handle((k6rw_output *)(void *)&unrelated, K6RW_INVALID_HANDLE);
    handle((k6rw_output *)(void *)((char *)valid + 1), K6RW_INVALID_HANDLE);
    handle((k6rw_output *)(uintptr_t)-1, K6RW_INVALID_HANDLE);
}

static void pointers(k6rw_output *output) {
    uint64_t numbers[2] = {0, 0};
    uint64_t *misaligned = (uint64_t *)(void *)((char *)numbers + 1);
    k6rw_series series = series_of("m", K6RW_METRIC_COUNTER, NULL, 0);
    k6rw_sample samples[2];
    k6rw_exemplar exemplars[2];
    memset(samples, 0, sizeof samples);
    memset(exemplars, 0, sizeof exemplars);
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_description(output, NULL, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_exemplar_names(output, NULL, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_poll_event(output, NULL, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_close(output, NULL, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_register_series(output, NULL, numbers, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_register_series(output, &series, NULL, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_register_series(output, &series, misaligned, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT,
                  k6rw_push_batch(output, (const k6rw_sample *)(void *)((char *)samples + 1), 1, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT,
                  k6rw_push_exemplars(output, (const k6rw_exemplar *)(void *)((char *)exemplars + 1), 1, &error));
}

static void series(k6rw_output *output) {
    static const char wrong[] = {'a', (char)0xff};
    uint64_t id = 0;
    k6rw_tag tag;
    k6rw_series series = series_of("m", K6RW_METRIC_COUNTER, NULL, 1);
    tag.name = text("name");
    tag.value.data = wrong;
    tag.value.len = sizeof wrong;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_register_series(output, &series, &id, &error));
    series.tags = &tag;
    EXPECT_STATUS(K6RW_INVALID_UTF8, k6rw_register_series(output, &series, &id, &error));
    tag.value.data = NULL;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_register_series(output, &series, &id, &error));
    tag.value.data = wrong;
    tag.value.len = (size_t)-1;
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_register_series(output, &series, &id, &error));
    tag.value.len = (size_t)1 << 21; /* over the limit, so that it is not read, and its samples are counted */
    EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, &id, &error));
    series.tag_count = (size_t)1 << 24; /* as above */
    EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, &id, &error));
    series.tag_count = (size_t)-1;
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_register_series(output, &series, &id, &error));
    series.tag_count = 0;
    series.metric.data = wrong;
    EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, &id, &error)); /* its one byte is valid */
    series.metric.len = sizeof wrong;
    EXPECT_STATUS(K6RW_INVALID_UTF8, k6rw_register_series(output, &series, &id, &error));
    series.metric.data = NULL;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_register_series(output, &series, &id, &error));
    series.metric.len = 0; /* not a valid name in Prometheus, but a valid call */
    EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, &id, &error));
    series.metric_type = 4;
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_register_series(output, &series, &id, &error));
    series.metric_type = K6RW_METRIC_RATE;
    series.value_type = 99;
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_register_series(output, &series, &id, &error));
    EXPECT(id == 3); /* the two that are too large share one */
}

static void samples(k6rw_output *output) {
    k6rw_sample three[3];
    three[0] = sample_of(1, 1.0);
    three[1] = sample_of(1000, 1.0);
    three[2] = sample_of(0, 1.0);
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_push_batch(output, NULL, 1, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_push_batch(output, three, (size_t)-1, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_push_batch(output, three, SIZE_MAX / sizeof three[0], &error));
    EXPECT_STATUS(K6RW_OK, k6rw_push_batch(output, NULL, 0, &error));
    EXPECT_STATUS(K6RW_UNKNOWN_SERIES, k6rw_push(output, 0, 0, 1.0, &error));
    EXPECT_STATUS(K6RW_UNKNOWN_SERIES, k6rw_push(output, UINT64_MAX, 0, 1.0, &error));
    EXPECT_STATUS(K6RW_UNKNOWN_SERIES, k6rw_push_batch(output, three, 3, &error));
    /* All values and times are valid. */
    three[0].time_ms = INT64_MIN;
    three[1] = sample_of(1, 0.0);
    memset(&three[1].value, 0xff, sizeof three[1].value); /* a NaN */
    three[2] = sample_of(1, -1e308);
    three[2].time_ms = INT64_MAX;
    EXPECT_STATUS(K6RW_OK, k6rw_push_batch(output, three, 3, &error));
}

/* Whatever is wrong with the metadata of a sample, the sample is recorded. */
static void exemplars(k6rw_output *output) {
    static const char wrong[] = {'a', (char)0xff};
    k6rw_tag tags[2];
    k6rw_exemplar two[2];
    tags[0].name = text("trace_id");
    tags[0].value = text("1");
    tags[1].name = text("other");
    tags[1].value.data = wrong; /* is not read, since no destination wants it */
    tags[1].value.len = sizeof wrong;
    two[0] = exemplar_of(sample_of(1, 1.0), tags, 2);
    two[1] = exemplar_of(sample_of(1, 1.0), NULL, 0);
    EXPECT_STATUS(K6RW_OK, k6rw_push_exemplars(output, two, 2, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_push_exemplars(output, NULL, 0, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_push_exemplars(output, NULL, 1, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_push_exemplars(output, two, (size_t)-1, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_push_exemplars(output, two, SIZE_MAX / sizeof two[0], &error));
    two[1].metadata_count = 1;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_push_exemplars(output, two, 2, &error));
    two[1] = exemplar_of(sample_of(1, 1.0), tags, (size_t)-1);
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_push_exemplars(output, two, 2, &error));
    two[1] = exemplar_of(sample_of(1, 1.0), (const k6rw_tag *)(void *)((char *)tags + 1), 1);
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_push_exemplars(output, two, 2, &error));
    two[1] = exemplar_of(sample_of(1, 1.0), tags, 1);
    tags[0].value.data = wrong;
    tags[0].value.len = sizeof wrong;
    EXPECT_STATUS(K6RW_INVALID_UTF8, k6rw_push_exemplars(output, two, 2, &error));
    tags[0].value.len = (size_t)-1;
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_push_exemplars(output, two, 2, &error));
    tags[0].value.data = NULL;
    tags[0].value.len = 1;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_push_exemplars(output, two, 2, &error));
    tags[0].value.len = 0;
    tags[0].name.data = NULL;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_push_exemplars(output, two, 2, &error));
    two[0] = exemplar_of(sample_of(0, 1.0), NULL, 0);
    two[1] = exemplar_of(sample_of(1000, 1.0), NULL, 0);
    EXPECT_STATUS(K6RW_UNKNOWN_SERIES, k6rw_push_exemplars(output, two, 2, &error));
}

void forbidden(void) {
    k6rw_output *output = NULL;
    opens();
    EXPECT_STATUS(K6RW_OK, k6rw_open(NOWHERE, sizeof NOWHERE - 1, &output, &error));
    handles(output);
    pointers(output);
    series(output);
    samples(output);
    exemplars(output);
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
    handle(output, K6RW_INVALID_HANDLE);
}
