/* For LD_PRELOAD: sets libc's wall clock (which Go does not use) ahead by CLOCK_STEP_SECONDS, from
 * CLOCK_STEP_FROM_MS to CLOCK_STEP_UNTIL_MS after the first call. */

#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long first_ms;

static long setting(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

int clock_gettime(clockid_t id, struct timespec *out) {
    struct timespec now;
    long result = syscall(SYS_clock_gettime, id, out);
    if (result != 0 || id != CLOCK_REALTIME || syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) != 0) {
        return (int)result;
    }
    long long ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000, unset = 0;
    __atomic_compare_exchange_n(&first_ms, &unset, ms, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    long long elapsed_ms = ms - first_ms;
    if (elapsed_ms >= setting("CLOCK_STEP_FROM_MS") && elapsed_ms < setting("CLOCK_STEP_UNTIL_MS")) {
        out->tv_sec += setting("CLOCK_STEP_SECONDS");
    }
    return 0;
}
