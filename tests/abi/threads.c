/* Eight threads at once: no sample is lost, and each thread sees the output close in order. */

#include <pthread.h>

#include "suite.h"

#define THREADS 8
#define ROUNDS 50
#define BATCH 20

typedef struct worker {
    pthread_t thread;
    k6rw_output *output;
    uint64_t accepted; /* samples whose push returned K6RW_OK */
} worker;

static uint64_t register_one(k6rw_output *output, k6rw_status *status) {
    k6rw_series series = series_of("abi_threads", K6RW_METRIC_COUNTER, NULL, 0);
    uint64_t id = 0;
    *status = k6rw_register_series(output, &series, &id, NULL);
    return id;
}

/* Registers and pushes for some rounds, or until the output is closed or freed. */
static void *work(void *argument) {
    worker *self = (worker *)argument;
    k6rw_sample batch[BATCH];
    k6rw_exemplar exemplar;
    k6rw_event event;
    k6rw_tag trace;
    int round, i;
    trace.name = text("trace_id");
    trace.value = text("1");
    for (round = 0; round < ROUNDS; round++) {
        k6rw_status status;
        uint64_t id = register_one(self->output, &status);
        if (status == K6RW_OK) {
            for (i = 0; i < BATCH; i++) {
                batch[i] = sample_of(id, 1.0);
            }
            exemplar = exemplar_of(batch[0], &trace, 1);
            status = k6rw_push_batch(self->output, batch + 1, BATCH - 1, NULL);
        }
        if (status == K6RW_OK) {
            self->accepted += BATCH - 1;
            status = k6rw_push_exemplars(self->output, &exemplar, 1, NULL);
        }
        if (status != K6RW_OK) {
            EXPECT(status == K6RW_CLOSED || status == K6RW_INVALID_HANDLE);
            return NULL;
        }
        self->accepted++;
        status = k6rw_poll_event(self->output, &event, NULL);
        EXPECT(status == K6RW_OK || status == K6RW_NO_EVENT || status == K6RW_CLOSED || status == K6RW_INVALID_HANDLE);
    }
    return NULL;
}

static void start(worker *workers, k6rw_output *output) {
    int i;
    for (i = 0; i < THREADS; i++) {
        workers[i].output = output;
        workers[i].accepted = 0;
        EXPECT(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
}

static uint64_t join(worker *workers) {
    uint64_t accepted = 0;
    int i;
    for (i = 0; i < THREADS; i++) {
        EXPECT(pthread_join(workers[i].thread, NULL) == 0);
        accepted += workers[i].accepted;
    }
    return accepted;
}

/* The report counts exactly the samples whose push returned K6RW_OK. */
static void expect_samples(k6rw_text report, uint64_t accepted) {
    char samples[64];
    snprintf(samples, sizeof samples, "{\"samples\":%llu,", (unsigned long long)accepted);
    EXPECT(holds(report, samples));
}

static void all_at_once(const char *url) {
    worker workers[THREADS];
    k6rw_text report = {NULL, 0};
    k6rw_output *output = open_to(url);
    start(workers, output);
    EXPECT(join(workers) == THREADS * ROUNDS * BATCH);
    EXPECT_STATUS(K6RW_OK, k6rw_close(output, &report, &error));
    expect_samples(report, THREADS * ROUNDS * BATCH);
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
}

static void close_in_the_middle(const char *url) {
    worker workers[THREADS];
    k6rw_text report = {NULL, 0};
    k6rw_output *output = open_to(url);
    start(workers, output);
    EXPECT_STATUS(K6RW_OK, k6rw_close(output, &report, &error));
    expect_samples(report, join(workers));
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
}

static void free_in_the_middle(const char *url) {
    worker workers[THREADS];
    k6rw_output *output = open_to(url);
    start(workers, output);
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
    join(workers);
}

static void *close_once(void *argument) {
    worker *self = (worker *)argument;
    k6rw_text report = {NULL, 0};
    k6rw_status status = k6rw_close(self->output, &report, NULL);
    EXPECT(status == K6RW_OK || status == K6RW_CLOSED); /* no thread frees it meanwhile */
    self->accepted = status == K6RW_OK ? 1 : 0;
    return NULL;
}

static void all_close(const char *url) {
    worker workers[THREADS];
    k6rw_output *output = open_to(url);
    int i;
    for (i = 0; i < THREADS; i++) {
        workers[i].output = output;
        EXPECT(pthread_create(&workers[i].thread, NULL, close_once, &workers[i]) == 0);
    }
    EXPECT(join(workers) == 1); /* exactly one gets the report */
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
}

/* Opens and frees outputs while other threads do the same. */
static void *live(void *argument) {
    (void)argument;
    lifetime(5);
    return NULL;
}

static void outputs_side_by_side(void) {
    pthread_t threads[THREADS];
    int i;
    for (i = 0; i < THREADS; i++) {
        EXPECT(pthread_create(&threads[i], NULL, live, NULL) == 0);
    }
    for (i = 0; i < THREADS; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
}

void threads(const char *url) {
    all_at_once(url);
    close_in_the_middle(url);
    free_in_the_middle(url);
    all_close(url);
    outputs_side_by_side();
}
