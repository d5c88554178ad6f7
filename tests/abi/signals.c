/* Signals are handled by the threads of the program alone: those of the library have them blocked. Most signals would end this
 * program, which does not handle them. */

#include "suite.h"

#ifdef _WIN32
void signals(void) {} /* Windows has none. */
#else

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Opens an output whose receiver is down, and whose unsent samples go to a file. */
static k6rw_output *open_to_file(uint64_t *series_id) {
    static const char json[] = "{\"argument\": \"http://127.0.0.1:1/\", \"json\": {\"pushInterval\": \"100ms\", "
                               "\"flushTimeout\": \"0s\", \"unsentDirectory\": \".\"}}";
    k6rw_output *output = NULL;
    k6rw_series series = series_of("signals", K6RW_METRIC_COUNTER, NULL, 0);
    EXPECT_STATUS(K6RW_OK, k6rw_open(json, sizeof json - 1, &output, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, series_id, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_push(output, *series_id, 0, 1.0, &error));
    return output;
}

static void stay_with_the_program(void) {
    static const int all[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGXFSZ};
    struct timespec pause = {0, 50000000}, none = {0, 0};
    sigset_t blocked, before;
    size_t i;
    sigemptyset(&blocked);
    for (i = 0; i < sizeof all / sizeof *all; i++) {
        sigaddset(&blocked, all[i]);
    }
    /* The only thread of the program does not take them now, so that the system looks for another one. */
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    for (i = 0; i < sizeof all / sizeof *all; i++) {
        kill(getpid(), all[i]);
    }
    nanosleep(&pause, NULL);
    for (i = 0; i < sizeof all / sizeof *all; i++) {
        EXPECT(sigtimedwait(&blocked, NULL, &none) > 0);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void signals(void) {
    uint64_t id = 0;
    k6rw_text report = {NULL, 0};
    struct rlimit before, small;
    k6rw_output *output = open_to_file(&id);
    stay_with_the_program();

    /* A file that grows too large is an error of write(), and not the end of the program. */
    EXPECT(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = before;
    small.rlim_cur = 16;
    EXPECT(setrlimit(RLIMIT_FSIZE, &small) == 0);
    EXPECT_STATUS(K6RW_OK, k6rw_close(output, &report, &error));
    EXPECT(setrlimit(RLIMIT_FSIZE, &before) == 0);
    EXPECT(holds(report, "Failed to write unsent samples to a file; they are lost"));
    EXPECT(holds(report, "File too large"));
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
}

#endif
