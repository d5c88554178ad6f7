// k6-remote-write: ships k6's metrics by Prometheus Remote Write.
//
// Made by cbindgen from the Rust sources (src/ffi): do not edit, run make header.
//
// Conventions of the whole API
//
// - Every function but the two version functions returns a k6rw_status. If its last parameter, error, is not null, it
//   receives the message. No function crashes the program or lets a panic through, whatever it is given, as long as
//   the pointers are what the following paragraphs ask for.
// - Pointers: null is answered with K6RW_NULL_POINTER, or is allowed where the function says so; error may always be
//   null. Any other pointer must be aligned, and valid during the call for what is read through it, which must be
//   initialised, or written, and no other thread writes there meanwhile. The arrays and structs that the caller hands in
//   are copied: they may be reused at once.
// - Handles: a k6rw_output is made by k6rw_open(), used until k6rw_free(), and never read through: a handle that is not,
//   or no longer, known is answered with K6RW_INVALID_HANDLE.
// - Text is pointer and length, UTF-8, not ended by NUL. Text that the library hands out belongs to the library and
//   says how long it is valid. The arrays in k6rw_error and k6rw_event belong to the caller and are ended by NUL.
// - Threads: every function may be called from any thread, by many at once. k6rw_close() ends what other threads do with
//   the output in order: their calls either take effect before it or answer K6RW_CLOSED. Text that belongs to an output
//   must not be read while another thread frees the output.
// - Blocking: k6rw_close() and k6rw_free() wait for the network, for the flush timeout, and then for a disk, at most
//   for ten seconds; k6rw_open() waits for receivers if the option preflight is on. No other does.

#ifndef K6_REMOTE_WRITE_H
#define K6_REMOTE_WRITE_H

#include <stddef.h>
#include <stdint.h>

// The version of the ABI that this header describes: what k6rw_abi_version() must answer.
#define K6RW_ABI_VERSION 1

// Bytes for the text of an error, its final NUL among them.
#define K6RW_ERROR_SIZE 4096

// Bytes for the message of an event, its final NUL among them.
#define K6RW_EVENT_MESSAGE_SIZE 1024

// Bytes for the fields of an event, their final NUL among them.
#define K6RW_EVENT_FIELDS_SIZE 4096

// What became of a call.
enum k6rw_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Done.
    K6RW_OK = 0,
    // A pointer is null that must not be.
    K6RW_NULL_POINTER = 1,
    // A length, an enum's value or a pointer's alignment is not possible.
    K6RW_INVALID_ARGUMENT = 2,
    // Text is not UTF-8.
    K6RW_INVALID_UTF8 = 3,
    // The configuration is not valid, and the message has every mistake; or a file that it names is not.
    K6RW_INVALID_CONFIG = 4,
    // The handle is not one that k6rw_open() gave, or it has been freed.
    K6RW_INVALID_HANDLE = 5,
    // Samples had ids that k6rw_register_series() never gave. They were left out; all others were taken.
    K6RW_UNKNOWN_SERIES = 6,
    // The output has been closed.
    K6RW_CLOSED = 7,
    // No event waits. Not an error.
    K6RW_NO_EVENT = 8,
    // The system refused what the library needs, such as a thread.
    K6RW_SYSTEM = 9,
    // The library failed. The call had no effect, or only a part of it; please report it.
    K6RW_INTERNAL = 10,
    // The option preflight is on, and a receiver does not take metrics. The message has all that do not, and why.
    K6RW_PREFLIGHT_FAILED = 11,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum k6rw_status k6rw_status;
#else
typedef uint32_t k6rw_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The type of a k6 metric.
enum k6rw_metric_type
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Sums its values.
    K6RW_METRIC_COUNTER = 0,
    // Keeps its latest value.
    K6RW_METRIC_GAUGE = 1,
    // Keeps the distribution of its values.
    K6RW_METRIC_TREND = 2,
    // Keeps the share of its values that are not zero.
    K6RW_METRIC_RATE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum k6rw_metric_type k6rw_metric_type;
#else
typedef uint32_t k6rw_metric_type;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What the values of a k6 metric are.
enum k6rw_value_type
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Plain numbers.
    K6RW_VALUE_DEFAULT = 0,
    // Durations in milliseconds. They are shipped in seconds.
    K6RW_VALUE_TIME = 1,
    // Amounts of data in bytes.
    K6RW_VALUE_DATA = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum k6rw_value_type k6rw_value_type;
#else
typedef uint32_t k6rw_value_type;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How serious an event is.
enum k6rw_level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // For those who look for it.
    K6RW_LEVEL_DEBUG = 0,
    // Good to know.
    K6RW_LEVEL_INFO = 1,
    // May heal by itself.
    K6RW_LEVEL_WARN = 2,
    // Something is lost.
    K6RW_LEVEL_ERROR = 3,
    // The test is to stop. Comes only if the option abortOnFailure is set, and once.
    K6RW_LEVEL_FATAL = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum k6rw_level k6rw_level;
#else
typedef uint32_t k6rw_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// An open output. Opaque: made by k6rw_open(), ended by k6rw_free().
typedef struct k6rw_output k6rw_output;

// Text as pointer and length: UTF-8, not ended by NUL. The pointer may be null if the length is 0.
typedef struct k6rw_text {
    // The first byte.
    const char *data;
    // The number of bytes.
    size_t len;
} k6rw_text;

// Receives the message of a call that failed. Owned by the caller, who need not initialise it.
typedef struct k6rw_error {
    // The message: UTF-8, ended by NUL, cut if it is longer than the array. Empty after a call that did not fail.
    char message[K6RW_ERROR_SIZE];
    // Its bytes without the NUL.
    size_t message_len;
} k6rw_error;

// A tag of a series.
typedef struct k6rw_tag {
    // As k6 has it: made a valid label name by the library.
    struct k6rw_text name;
    // An empty value leaves the label out.
    struct k6rw_text value;
} k6rw_tag;

// A k6 metric and one of its tag sets.
typedef struct k6rw_series {
    // The metric's name in k6, such as http_req_duration.
    struct k6rw_text metric;
    // One of k6rw_metric_type.
    uint32_t metric_type;
    // One of k6rw_value_type.
    uint32_t value_type;
    // The tags in any order. May be null if tag_count is 0.
    const struct k6rw_tag *tags;
    // The number of tags.
    size_t tag_count;
} k6rw_series;

// A sample, as it crosses the C ABI: a record of 24 bytes.
typedef struct k6rw_sample {
    // The id that k6rw_register_series returned. Never 0.
    uint64_t series;
    // Time of the measurement, in milliseconds since the Unix epoch. All values are allowed.
    int64_t time_ms;
    // The value in k6's unit: milliseconds for times, bytes for data. Values that are NaN or infinite are counted and ignored.
    double value;
} k6rw_sample;

// Receives a line for the log. Owned by the caller, who need not initialise it.
typedef struct k6rw_event {
    // One of k6rw_level.
    uint32_t level;
    // The message: one sentence, UTF-8, ended by NUL, cut if it is longer than the array.
    char message[K6RW_EVENT_MESSAGE_SIZE];
    // Its bytes without the NUL.
    size_t message_len;
    // A JSON object with the event's fields, ended by NUL. Fields that do not fit into the array are left out.
    char fields[K6RW_EVENT_FIELDS_SIZE];
    // Its bytes without the NUL.
    size_t fields_len;
} k6rw_event;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the ABI that the library has. A program checks it against K6RW_ABI_VERSION of its header before any other
// call: if they differ, it must make none.
uint32_t k6rw_abi_version(void);

// The library's own version, such as 1.2.3. Valid for as long as the library is loaded.
struct k6rw_text k6rw_version(void);

// Opens an output: reads the configuration, starts the background threads, and gives a handle.
//
// config is one JSON object of config_len bytes with what the user wrote, unread. All of its fields may be missing:
// "argument" (string: what follows --out remote-write=), "environment" (object: at least all of K6_PROMETHEUS_RW_*
// and AWS_*), "json" (object or null: k6's collectors."remote-write"), "script" (object: "ext" is the script's options.ext.loadimpact,
// "cloud" its options.cloud), "run" (object: "tags" of every sample, "executionSegment" such as "0:1/2", "features" that are
// on, "cloudTestRunId": k6 Cloud's id of this run, if it has one, "k6Version" such as "v2.2.0", "script": the script's URL,
// "scenarios": an array of their names). Of several open outputs that are given the same "script", the first ships to the
// blocks in it.
//
// K6RW_INVALID_CONFIG with every mistake of the configuration at once, K6RW_PREFLIGHT_FAILED if preflight failed. Without K6RW_OK there is no handle to free.
k6rw_status k6rw_open(const char *config,
                      size_t config_len,
                      struct k6rw_output **output,
                      struct k6rw_error *error);

// Where the output ships to and how often, for people; without secrets. Valid until k6rw_free().
k6rw_status k6rw_description(const struct k6rw_output *output, struct k6rw_text *description, struct k6rw_error *error);

// Registers a k6 series before its first sample and gives its id, a small number from 1 on. Copies all text.
//
// A metric whose name Prometheus does not take gets an id too, with a warning among the events; its samples are counted
// and left out.
k6rw_status k6rw_register_series(struct k6rw_output *output,
                                 const struct k6rw_series *series,
                                 uint64_t *id,
                                 struct k6rw_error *error);

// Hands over one sample. Never blocks on the network. For more than one at a time, k6rw_push_batch() is several times cheaper.
k6rw_status k6rw_push(struct k6rw_output *output,
                      uint64_t series,
                      int64_t time_ms,
                      double value,
                      struct k6rw_error *error);

// Hands over len samples. Copies them: the caller may reuse the array at once. Never blocks on the network.
//
// K6RW_UNKNOWN_SERIES if some have ids that were never given: those are left out, all others are taken.
k6rw_status k6rw_push_batch(struct k6rw_output *output,
                            const struct k6rw_sample *samples,
                            size_t len,
                            struct k6rw_error *error);

// Takes the next line for the log, or answers K6RW_NO_EVENT. Never blocks. Events are few; to ask some times a second is enough.
k6rw_status k6rw_poll_event(struct k6rw_output *output,
                            struct k6rw_event *event,
                            struct k6rw_error *error);

// Closes the last window, ships all that is queued within the flush timeout, writes what is left to a file, and gives the report:
// a JSON object, valid until k6rw_free(), whose "events" are the lines that were not polled, the last of which sums up the run.
// Blocks until then; meanwhile other threads may still take events, and may call k6rw_cancel_flush().
//
// After it, every function but k6rw_cancel_flush() and k6rw_free() answers K6RW_CLOSED, in every thread.
k6rw_status k6rw_close(struct k6rw_output *output,
                       struct k6rw_text *report,
                       struct k6rw_error *error);

// Has k6rw_close(), under way in another thread or still to come, not wait for receivers any longer. What is not sent yet goes to a
// file at once. Never blocks.
k6rw_status k6rw_cancel_flush(struct k6rw_output *output,
                              struct k6rw_error *error);

// Ends the handle and frees what belongs to it. An output that is still open is closed first, as k6rw_close() does. Null is
// allowed and does nothing. A handle that was freed before is K6RW_INVALID_HANDLE: no handle is given twice.
k6rw_status k6rw_free(struct k6rw_output *output,
                      struct k6rw_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* K6_REMOTE_WRITE_H */
