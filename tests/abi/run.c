/* A normal run. The receiver must have its points: k6_abi_requests_total{method="GET"} is 1005. */

#include "suite.h"

void run(const char *url) {
    k6rw_tag tags[2];
    k6rw_series series;
    k6rw_sample batch[1000];
    k6rw_exemplar exemplars[2];
    k6rw_output *output = open_to(url);
    k6rw_event event;
    k6rw_text description = {NULL, 0}, report = {NULL, 0}, names = {NULL, 0};
    uint64_t counter = 0, ignored = 0;
    size_t i;
    if (output == NULL) {
        return;
    }
    EXPECT_STATUS(K6RW_OK, k6rw_description(output, &description, &error));
    EXPECT(holds(description, url));
    tags[0].name = text("method");
    tags[0].value = text("GET");
    tags[1].name = text("empty");
    tags[1].value = text("");
    series = series_of("abi_requests", K6RW_METRIC_COUNTER, tags, 2);
    EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, &counter, &error));
    EXPECT(counter == 1);
    EXPECT_STATUS(K6RW_OK, k6rw_poll_event(output, &event, &error)); /* the options that are set */
    EXPECT(event.level == K6RW_LEVEL_DEBUG && strstr(event.fields, "\"url_source\":") != NULL);
    EXPECT_STATUS(K6RW_NO_EVENT, k6rw_poll_event(output, &event, &error));
    series = series_of("not a name", K6RW_METRIC_GAUGE, NULL, 0);
    EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, &ignored, &error));

    EXPECT_STATUS(K6RW_OK, k6rw_push(output, counter, 1700000000000, 1.0, &error));
    for (i = 0; i < 1000; i++) {
        batch[i] = sample_of(counter, 1.0);
    }
    EXPECT_STATUS(K6RW_OK, k6rw_push_batch(output, batch, 1000, &error));
    memset(batch, 0xff, sizeof batch); /* the library has copied it */
    batch[0] = sample_of(counter, 1.0);
    batch[1] = sample_of(counter + 1000, 100.0);
    batch[2] = sample_of(counter, 1.0);
    EXPECT_STATUS(K6RW_UNKNOWN_SERIES, k6rw_push_batch(output, batch, 3, &error));

    EXPECT_STATUS(K6RW_OK, k6rw_exemplar_names(output, &names, &error));
    EXPECT(holds(names, "[\"trace_id\"]"));
    tags[0].name = text("trace_id");
    tags[0].value = text("0af7651916cd43dd8448eb211c80319c");
    exemplars[0] = exemplar_of(sample_of(counter, 1.0), tags, 2);
    exemplars[1] = exemplar_of(sample_of(counter, 1.0), NULL, 0);
    EXPECT_STATUS(K6RW_OK, k6rw_push_exemplars(output, exemplars, 2, &error));
    memset(exemplars, 0xff, sizeof exemplars); /* as above */
    memset(tags, 0xff, sizeof tags);

    EXPECT_STATUS(K6RW_OK, k6rw_close(output, &report, &error));
    EXPECT(holds(report, "\"samples\":1005,"));
    EXPECT(holds(report, "k6_not a name"));
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
}
