/* A whole run in a thread whose stack is that of musl's threads by default. */

#include <pthread.h>

#include "suite.h"

#define STACK_BYTES (128 * 1024)

/* Options that need parsing in depth: selectors, nested objects, several destinations. */
static k6rw_output *open_with_much_to_parse(const char *url) {
    static char json[2048];
    k6rw_output *output = NULL;
    int len = snprintf(json, sizeof json,
        "{\"argument\": \"%s\", \"json\": {\"pushInterval\": \"100ms\"}, \"script\": {\"ext\": {\"apm\": [{"
        "\"provider\": \"prometheus\", \"remoteWriteURL\": \"%s\", \"metrics\": [{\"sourceMetric\": "
        "\"abi{scenario=~\\\"(a|b)+[0-9]{1,3}\\\",status!~\\\"[45]..\\\"}\", \"keepTags\": [\"scenario\"]}]}]}}}",
        url, url);
    EXPECT(len > 0 && (size_t)len < sizeof json);
    EXPECT_STATUS(K6RW_OK, k6rw_open(json, (size_t)len, &output, &error));
    return output;
}

static void *whole_run(void *url) {
    k6rw_tag tag;
    k6rw_series series;
    k6rw_output *output = open_with_much_to_parse((const char *)url);
    k6rw_command *command = NULL;
    k6rw_sample sample;
    k6rw_event event;
    k6rw_text report;
    uint64_t id = 0;
    tag.name = text("scenario");
    tag.value = text("a7");
    series = series_of("abi_small_stack", K6RW_METRIC_TREND, &tag, 1);
    EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, &id, &error));
    sample = sample_of(id, 1.0);
    EXPECT_STATUS(K6RW_OK, k6rw_push_batch(output, &sample, 1, &error));
    EXPECT(k6rw_poll_event(output, &event, NULL) != K6RW_INTERNAL);
    EXPECT_STATUS(K6RW_OK, k6rw_close(output, &report, &error));
    EXPECT(holds(report, "\"samples\":1,"));
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_command_open("{\"arguments\": [\"--help\"]}", 25, &command, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_command_free(command, &error));
    return NULL;
}

void small_stack(const char *url) {
    pthread_attr_t attributes;
    pthread_t thread;
    EXPECT(pthread_attr_init(&attributes) == 0);
    EXPECT(pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0);
    EXPECT(pthread_create(&thread, &attributes, whole_run, (void *)url) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&attributes);
}
