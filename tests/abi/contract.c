/* What an ABI version guarantees to compiled programs: the layout of structs and the values of constants. */

#include "suite.h"

#ifdef __cplusplus
#define PROMISE(condition) static_assert(condition, #condition)
#else
#define PROMISE(condition) _Static_assert(condition, #condition)
#endif

PROMISE(K6RW_ABI_VERSION == 1);
PROMISE(sizeof(k6rw_status) == 4);

PROMISE(K6RW_OK == 0 && K6RW_NULL_POINTER == 1 && K6RW_INVALID_ARGUMENT == 2 && K6RW_INVALID_UTF8 == 3);
PROMISE(K6RW_INVALID_CONFIG == 4 && K6RW_INVALID_HANDLE == 5 && K6RW_UNKNOWN_SERIES == 6 && K6RW_CLOSED == 7);
PROMISE(K6RW_NO_EVENT == 8 && K6RW_SYSTEM == 9 && K6RW_INTERNAL == 10);
PROMISE(K6RW_PREFLIGHT_FAILED == 11 && K6RW_RUNNING == 12);
PROMISE(K6RW_METRIC_COUNTER == 0 && K6RW_METRIC_GAUGE == 1 && K6RW_METRIC_TREND == 2 && K6RW_METRIC_RATE == 3);
PROMISE(K6RW_VALUE_DEFAULT == 0 && K6RW_VALUE_TIME == 1 && K6RW_VALUE_DATA == 2);
PROMISE(K6RW_LEVEL_DEBUG == 0 && K6RW_LEVEL_INFO == 1 && K6RW_LEVEL_WARN == 2 && K6RW_LEVEL_ERROR == 3 && K6RW_LEVEL_FATAL == 4);
PROMISE(K6RW_STREAM_STDOUT == 1 && K6RW_STREAM_STDERR == 2);

PROMISE(sizeof(k6rw_sample) == 24);
PROMISE(offsetof(k6rw_sample, series) == 0 && offsetof(k6rw_sample, time_ms) == 8 && offsetof(k6rw_sample, value) == 16);
PROMISE(offsetof(k6rw_text, data) == 0 && offsetof(k6rw_text, len) == sizeof(void *));
PROMISE(sizeof(k6rw_tag) == 2 * sizeof(k6rw_text));
PROMISE(offsetof(k6rw_series, metric_type) == sizeof(k6rw_text));
PROMISE(offsetof(k6rw_series, value_type) == sizeof(k6rw_text) + 4);
PROMISE(offsetof(k6rw_series, tags) == sizeof(k6rw_text) + 8);
PROMISE(offsetof(k6rw_series, tag_count) == sizeof(k6rw_text) + 8 + sizeof(void *));
PROMISE(offsetof(k6rw_error, message) == 0 && offsetof(k6rw_error, message_len) == 4096);
PROMISE(offsetof(k6rw_event, level) == 0 && offsetof(k6rw_event, message) == 4);
PROMISE(offsetof(k6rw_chunk, stream) == 0 && offsetof(k6rw_chunk, text) == 4 && offsetof(k6rw_chunk, text_len) == 16392);

void contract(void) {
    k6rw_text version = k6rw_version();
    EXPECT(k6rw_abi_version() == K6RW_ABI_VERSION);
    EXPECT(version.len > 0 && holds(version, "."));
}
