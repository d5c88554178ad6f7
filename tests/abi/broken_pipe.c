/* A receiver that closes the connection during a request. The program does not handle SIGPIPE, which would end it. */

#include "suite.h"

#ifdef _WIN32
void broken_pipe(void) {} /* Windows has no SIGPIPE. */
#else

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERIES 3000
#define TAG_BYTES 2000

/* Reads a part of each request and closes the connection, so that the writer gets a SIGPIPE. */
static void *hang_up(void *argument) {
    char some[4096];
    int connection, listener = *(int *)argument;
    while ((connection = accept(listener, NULL, NULL)) >= 0) {
        if (read(connection, some, sizeof some) > 0) {
            shutdown(connection, SHUT_WR); /* unread data turns the close into a reset */
        }
        close(connection);
    }
    return NULL;
}

/* Text that does not compress, and differs for each seed. */
static void fill(char *tag, uint32_t seed) {
    size_t i;
    for (i = 0; i < TAG_BYTES; i++) {
        seed = seed * 1664525u + 1013904223u;
        tag[i] = (char)('!' + (seed >> 24) % 94);
    }
}

static void push_much(k6rw_output *output) {
    static char value[TAG_BYTES];
    k6rw_tag tag;
    k6rw_series series;
    uint32_t i;
    tag.name = text("tag");
    tag.value.data = value;
    tag.value.len = sizeof value;
    series = series_of("broken_pipe", K6RW_METRIC_COUNTER, &tag, 1);
    for (i = 0; i < SERIES; i++) {
        uint64_t id = 0;
        fill(value, i);
        EXPECT_STATUS(K6RW_OK, k6rw_register_series(output, &series, &id, &error));
        EXPECT_STATUS(K6RW_OK, k6rw_push(output, id, 0, 1.0, &error));
    }
}

void broken_pipe(void) {
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    pthread_t receiver;
    k6rw_output *output = NULL;
    k6rw_text report = {NULL, 0};
    char json[512];
    int listener = socket(AF_INET, SOCK_STREAM, 0), json_len;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 16) == 0);
    EXPECT(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
    EXPECT(pthread_create(&receiver, NULL, hang_up, &listener) == 0);

    json_len = snprintf(json, sizeof json,
                        "{\"argument\": \"http://127.0.0.1:%d/\", \"json\": {\"pushInterval\": \"100ms\", "
                        "\"flushTimeout\": \"3s\", \"unsentDirectory\": \"\", \"maxSamplesPerSend\": 100000, "
                        "\"maxBytesPerSend\": 32000000}}",
                        ntohs(address.sin_port));
    EXPECT_STATUS(K6RW_OK, k6rw_open(json, (size_t)json_len, &output, &error));
    push_much(output);
    EXPECT_STATUS(K6RW_OK, k6rw_close(output, &report, &error));
    EXPECT(holds(report, "\"points_sent\":0,"));
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));

    shutdown(listener, SHUT_RDWR);
    EXPECT(pthread_join(receiver, NULL) == 0);
    close(listener);
}

#endif
