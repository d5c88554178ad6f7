/* Outputs that are opened and freed one after the other: freed handles stay invalid, threads and open files do not accumulate. */

#include <dirent.h>

#include "suite.h"

/* The number of entries in a directory of /proc; 0 if there is none. */
static int entries(const char *directory) {
    int count = 0;
    DIR *open = opendir(directory);
    if (open != NULL) {
        while (readdir(open) != NULL) {
            count++;
        }
        closedir(open);
    }
    return count;
}

static void one(void) {
    k6rw_output *output = NULL;
    k6rw_series series = series_of("lifetime", K6RW_METRIC_COUNTER, NULL, 0);
    k6rw_text report = {NULL, 0};
    uint64_t id = 0;
    EXPECT_STATUS(K6RW_OK, k6rw_open(NOWHERE, sizeof NOWHERE - 1, &output, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, &id, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_push(output, id, 0, 1.0, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_close(output, &report, &error));
    EXPECT(holds(report, "\"samples\":1,"));
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
    EXPECT_STATUS(K6RW_INVALID_HANDLE, k6rw_free(output, &error));
}

void lifetime(int times) {
    int files = 0, i;
    for (i = 0; i < times; i++) {
        one();
        if (i == 10) {
            files = entries("/proc/self/fd");
        }
    }
    if (times > 10) {
        /* Senders end within a second after the output, so some may still be running. */
        EXPECT(entries("/proc/self/fd") <= files + 20);
        EXPECT(entries("/proc/self/task") <= 20);
    }
}
