/* Tests of the header as a C program uses it, with valid and invalid calls. Compiles as C11, C17, C++17 and C++20.
 *
 *     abi URL OUTPUTS
 *
 * URL is a receiver; the caller of this program checks its points. OUTPUTS is the number of outputs that are opened and
 * closed one after the other. Exits with 0 if all results are as expected. */

#include <pthread.h>

#include "suite.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int failures = 0;

void expect(int ok, const char *what, const char *file, int line) {
    if (!ok) {
        pthread_mutex_lock(&mutex);
        failures++;
        fprintf(stderr, "%s:%d: %s\n", file, line, what);
        pthread_mutex_unlock(&mutex);
    }
}

int failed(void) {
    int any;
    pthread_mutex_lock(&mutex);
    any = failures > 0;
    pthread_mutex_unlock(&mutex);
    return any;
}

k6rw_output *open_to(const char *url) {
    char json[512];
    k6rw_output *output = NULL;
    int len = snprintf(json, sizeof json, "{\"argument\": \"%s\", \"json\": {\"pushInterval\": \"100ms\"}}", url);
    EXPECT(len > 0 && (size_t)len < sizeof json);
    EXPECT_STATUS(K6RW_OK, k6rw_open(json, (size_t)len, &output, &error));
    return output;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: abi URL OUTPUTS\n");
        return 2;
    }
    contract();
    forbidden();
    order();
    run(argv[1]);
    threads(argv[1]);
    small_stack(argv[1]);
    broken_pipe();
    signals();
    commands();
    lifetime(atoi(argv[2]));
    return failed() ? 1 : 0;
}
