/* Commands: valid and invalid calls, every order of them, and an end from another thread. */

#include <pthread.h>

#include "suite.h"

#define HELP "{\"arguments\": [\"--help\"], \"program\": \"abi\"}"
#define CHECK "{\"arguments\": [\"check\", \"http://127.0.0.1:1/\"], \"json\": {\"insecureSkipTLSVerify\": true}}"

static k6rw_command *open_command(const char *document) {
    k6rw_command *command = NULL;
    EXPECT_STATUS(K6RW_OK, k6rw_command_open(document, strlen(document), &command, &error));
    return command;
}

/* Polls until the command has ended, and returns the number of bytes on a stream. */
static size_t drain(k6rw_command *command, uint32_t stream) {
    k6rw_chunk chunk;
    k6rw_status status;
    size_t bytes = 0;
    do {
        status = k6rw_command_poll(command, 1000, &chunk, NULL);
        if (status == K6RW_OK) {
            EXPECT(chunk.text_len == strlen(chunk.text) && chunk.text_len < K6RW_CHUNK_SIZE);
            bytes += chunk.stream == stream ? chunk.text_len : 0;
        }
    } while (status == K6RW_OK || status == K6RW_RUNNING);
    EXPECT(status == K6RW_CLOSED);
    return bytes;
}

static void ends(void) {
    k6rw_command *command = open_command(HELP);
    k6rw_text failure = {NULL, 0};
    uint32_t code = 9;
    EXPECT(drain(command, K6RW_STREAM_STDOUT) > 100);
    EXPECT_STATUS(K6RW_OK, k6rw_command_exit_code(command, &code, &failure, &error));
    EXPECT(code == 0 && failure.len == 0 && failure.data == NULL);
    EXPECT_STATUS(K6RW_OK, k6rw_command_cancel(command, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_command_free(command, &error));
    command = open_command(CHECK);
    EXPECT(drain(command, K6RW_STREAM_STDOUT) > 0);
    EXPECT_STATUS(K6RW_OK, k6rw_command_exit_code(command, &code, &failure, &error));
    EXPECT(code == 1 && holds(failure, "check failed"));
    EXPECT_STATUS(K6RW_OK, k6rw_command_free(command, &error));
}

/* Calls every function that takes a handle with an invalid one. */
static void handle(k6rw_command *invalid, k6rw_status status) {
    k6rw_chunk chunk;
    k6rw_text failure;
    uint32_t code;
    EXPECT_STATUS(status, k6rw_command_poll(invalid, 0, &chunk, &error));
    EXPECT_STATUS(status, k6rw_command_cancel(invalid, &error));
    EXPECT_STATUS(status, k6rw_command_exit_code(invalid, &code, &failure, &error));
    EXPECT_STATUS(invalid == NULL ? K6RW_OK : status, k6rw_command_free(invalid, &error));
}

static void forbidden_calls(void) {
    static const char latin1[] = "{\"program\": \"h\xe4lt\"}";
    k6rw_command *command = NULL, *other;
    k6rw_output *output = NULL;
    k6rw_chunk chunks[2];
    k6rw_text failure;
    uint32_t code;
    int unrelated = 0;
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_command_open("{}", 2, NULL, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_command_open(NULL, 2, &command, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT, k6rw_command_open("{}", (size_t)-1, &command, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, k6rw_command_open(NULL, 0, &command, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, k6rw_command_open("[]", 2, &command, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, k6rw_command_open("{\"a\": 1}", 8, &command, &error));
    EXPECT_STATUS(K6RW_INVALID_CONFIG, k6rw_command_open(latin1, sizeof latin1 - 1, &command, &error));
    EXPECT(command == NULL);
    command = open_command(HELP);
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_command_poll(command, 0, NULL, &error));
    EXPECT_STATUS(K6RW_INVALID_ARGUMENT,
                  k6rw_command_poll(command, 0, (k6rw_chunk *)(void *)((char *)chunks + 1), &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_command_exit_code(command, NULL, &failure, &error));
    EXPECT_STATUS(K6RW_NULL_POINTER, k6rw_command_exit_code(command, &code, NULL, &error));
    EXPECT(k6rw_command_poll(command, 0, NULL, NULL) == K6RW_NULL_POINTER);
    /* A handle of one type is not one of the other. */
    EXPECT_STATUS(K6RW_OK, k6rw_open(NOWHERE, sizeof NOWHERE - 1, &output, &error));
    handle((k6rw_command *)(void *)output, K6RW_INVALID_HANDLE);
    EXPECT_STATUS(K6RW_INVALID_HANDLE, k6rw_free((k6rw_output *)(void *)command, &error));
    EXPECT_STATUS(K6RW_OK, k6rw_free(output, &error));
    handle(NULL, K6RW_NULL_POINTER);
    handle((k6rw_command *)(void *)&unrelated, K6RW_INVALID_HANDLE);
    handle((k6rw_command *)(void *)((char *)command + 1), K6RW_INVALID_HANDLE);
    EXPECT_STATUS(K6RW_OK, k6rw_command_free(command, &error));
    handle(command, K6RW_INVALID_HANDLE);
    other = open_command(HELP);
    EXPECT(other != command);
    EXPECT_STATUS(K6RW_OK, k6rw_command_free(other, &error));
}

/* Every sequence of three calls on a command, which may run or have ended. */
static void orders(void) {
    enum { POLL, CANCEL, EXIT_CODE, FREE, CALLS };
    int number, call;
    for (number = 0; number < CALLS * CALLS * CALLS; number++) {
        k6rw_command *command = open_command(number % 2 == 0 ? HELP : CHECK);
        int calls[3], freed = 0;
        calls[0] = number / (CALLS * CALLS);
        calls[1] = number / CALLS % CALLS;
        calls[2] = number % CALLS;
        for (call = 0; call < 3; call++) {
            k6rw_chunk chunk;
            k6rw_text failure;
            uint32_t code;
            k6rw_status status;
            switch (calls[call]) {
            case POLL:
                status = k6rw_command_poll(command, 1, &chunk, NULL);
                EXPECT(freed ? status == K6RW_INVALID_HANDLE
                             : status == K6RW_OK || status == K6RW_RUNNING || status == K6RW_CLOSED);
                break;
            case CANCEL:
                EXPECT_STATUS(freed ? K6RW_INVALID_HANDLE : K6RW_OK, k6rw_command_cancel(command, &error));
                break;
            case EXIT_CODE:
                status = k6rw_command_exit_code(command, &code, &failure, NULL);
                EXPECT(freed ? status == K6RW_INVALID_HANDLE : status == K6RW_OK || status == K6RW_RUNNING);
                break;
            default:
                EXPECT_STATUS(freed ? K6RW_INVALID_HANDLE : K6RW_OK, k6rw_command_free(command, &error));
                freed = 1;
            }
        }
        if (!freed) {
            EXPECT_STATUS(K6RW_OK, k6rw_command_free(command, &error));
        }
    }
}

static void *free_command(void *command) {
    EXPECT_STATUS(K6RW_OK, k6rw_command_free((k6rw_command *)command, &error));
    return NULL;
}

/* A command may be freed while another thread polls it. */
static void freed_meanwhile(void) {
    pthread_t thread;
    k6rw_status status;
    k6rw_chunk chunk;
    k6rw_command *command = open_command(CHECK);
    EXPECT(pthread_create(&thread, NULL, free_command, command) == 0);
    do {
        status = k6rw_command_poll(command, 10, &chunk, NULL);
    } while (status == K6RW_OK || status == K6RW_RUNNING);
    EXPECT(status == K6RW_CLOSED || status == K6RW_INVALID_HANDLE);
    EXPECT(pthread_join(thread, NULL) == 0);
}

void commands(void) {
    ends();
    forbidden_calls();
    orders();
    freed_meanwhile();
}
