/* Every sequence of three calls on an output. Each must return the status for the state after the calls before it. */

#include "suite.h"

enum { DESCRIPTION, REGISTER, PUSH, PUSH_BATCH, POLL_EVENT, CLOSE, CANCEL_FLUSH, FREE, CALLS };

typedef struct state {
    k6rw_output *output;
    uint64_t series;
    int polled;
    int closed;
    int freed;
} state;

/* The status of a call that can only fail because of the state. */
static k6rw_status by_state(const state *s, k6rw_status otherwise) {
    return s->freed ? K6RW_INVALID_HANDLE : s->closed ? K6RW_CLOSED : otherwise;
}

static void call(state *s, int which) {
    k6rw_series series = series_of("ordered", K6RW_METRIC_TREND, NULL, 0);
    k6rw_sample sample = sample_of(s->series + 1, 1.0); /* one that was never registered */
    k6rw_exemplar exemplar = exemplar_of(sample, NULL, 0);
    k6rw_text out = {NULL, 0};
    k6rw_event event;
    switch (which) {
    case DESCRIPTION:
        EXPECT_STATUS(by_state(s, K6RW_OK), k6rw_description(s->output, &out, &error));
        break;
    case REGISTER: {
        uint64_t id = 0;
        EXPECT_STATUS(by_state(s, K6RW_OK), k6rw_register_series(s->output, &series, &id, &error));
        if (id != 0) {
            EXPECT(id == 1); /* again, if it was registered before */
            s->series = id;
        }
        break;
    }
    case PUSH:
        EXPECT_STATUS(by_state(s, s->series == 0 ? K6RW_UNKNOWN_SERIES : K6RW_OK),
                      k6rw_push(s->output, 1, 0, 1.0, &error));
        break;
    case PUSH_BATCH:
        EXPECT_STATUS(by_state(s, K6RW_UNKNOWN_SERIES), k6rw_push_batch(s->output, &sample, 1, &error));
        EXPECT_STATUS(by_state(s, K6RW_NULL_POINTER), k6rw_push_batch(s->output, NULL, 1, &error));
        EXPECT_STATUS(by_state(s, K6RW_UNKNOWN_SERIES), k6rw_push_exemplars(s->output, &exemplar, 1, &error));
        EXPECT_STATUS(by_state(s, K6RW_NULL_POINTER), k6rw_push_exemplars(s->output, NULL, 1, &error));
        EXPECT_STATUS(by_state(s, K6RW_OK), k6rw_exemplar_names(s->output, &out, &error));
        break;
    case POLL_EVENT:
        EXPECT_STATUS(by_state(s, s->polled ? K6RW_NO_EVENT : K6RW_OK), k6rw_poll_event(s->output, &event, &error));
        EXPECT_STATUS(by_state(s, K6RW_NULL_POINTER), k6rw_poll_event(s->output, NULL, &error));
        s->polled = 1;
        break;
    case CLOSE:
        EXPECT_STATUS(by_state(s, K6RW_NULL_POINTER), k6rw_close(s->output, NULL, &error));
        EXPECT_STATUS(by_state(s, K6RW_OK), k6rw_close(s->output, &out, &error));
        s->closed = 1;
        break;
    case CANCEL_FLUSH:
        EXPECT_STATUS(s->freed ? K6RW_INVALID_HANDLE : K6RW_OK, k6rw_cancel_flush(s->output, &error));
        break;
    default:
        EXPECT_STATUS(s->freed ? K6RW_INVALID_HANDLE : K6RW_OK, k6rw_free(s->output, &error));
        s->freed = 1;
    }
}

void order(void) {
    int number;
    for (number = 0; number < CALLS * CALLS * CALLS; number++) {
        state s = {NULL, 0, 0, 0, 0};
        EXPECT_STATUS(K6RW_OK, k6rw_open(NOWHERE, sizeof NOWHERE - 1, &s.output, &error));
        call(&s, number / (CALLS * CALLS));
        call(&s, number / CALLS % CALLS);
        call(&s, number % CALLS);
        if (!s.freed) {
            call(&s, FREE);
        }
        if (failed()) {
            fprintf(stderr, "in order %d\n", number);
            return;
        }
    }
}
