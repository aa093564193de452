/* Strings and growing buffers.
 *
 * `struct rf_str` is a borrowed view of bytes with a length, not terminated; who owns the bytes is
 * said where it is used. `struct rf_buf` owns memory that grows; it is reused from call to call, so
 * that the steady state does not allocate. Used everywhere. Out of memory aborts: data-plane memory
 * is bounded by the pool, not by failing allocations. */
#ifndef ROWFERRY_STR_H
#define ROWFERRY_STR_H

#include <rowferry/error.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

struct rf_str {
    const char *data; /* may be NULL when size is 0 */
    size_t size;
};

#define RF_STR(literal) ((struct rf_str){(literal), sizeof(literal) - 1})
#define RF_STR_NONE     ((struct rf_str){NULL, 0})
/* For printf's "%.*s". */
#define RF_STR_ARG(str) (int)(str).size, (str).data ? (str).data : ""

static inline struct rf_str rf_str_of(const char *text)
{
    return (struct rf_str){text, text ? strlen(text) : 0};
}

static inline bool rf_str_equal(struct rf_str a, struct rf_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool rf_str_starts(struct rf_str str, struct rf_str prefix)
{
    return str.size >= prefix.size &&
           (prefix.size == 0 || memcmp(str.data, prefix.data, prefix.size) == 0);
}

/* Takes the byte off the front, where it is there. */
static inline bool rf_str_take_byte(struct rf_str *str, char byte)
{
    bool found = str->size > 0 && str->data[0] == byte;
    str->data += found;
    str->size -= found;
    return found;
}

/* -1, 0 or 1 by bytes, shorter first. */
int rf_str_compare(struct rf_str a, struct rf_str b);
/* ASCII letters of either case count as equal. */
bool rf_str_equal_nocase(struct rf_str a, struct rf_str b);
/* Takes what lies before the first separator off the front of *rest, which goes on behind it. False
 * when *rest is used up (its data is then NULL); an empty field between two separators is a
 * field. */
bool rf_str_split(struct rf_str *rest, char separator, struct rf_str *field);
/* Without the spaces, tabs and newlines at both ends. */
struct rf_str rf_str_trim(struct rf_str str);
/* Whole decimal number; false for empty, sign mismatch, trailing bytes or overflow, *out
 * untouched. */
bool rf_str_to_u64(struct rf_str str, uint64_t *out);
bool rf_str_to_i64(struct rf_str str, int64_t *out);
/* `text` with * for any run of bytes and ? for one byte. */
bool rf_str_match(struct rf_str pattern, struct rf_str text);
/* A terminated heap copy; the caller frees it with free(). */
char *rf_str_dup(struct rf_str str);

/* A growing buffer. Zeroed is empty and valid; data stays valid until the next call that adds. */
struct rf_buf {
    char *data;
    size_t size;
    size_t capacity;
};

/* Makes room for `more` bytes behind size and returns where they begin; size is not changed. */
char *rf_buf_grow(struct rf_buf *buf, size_t more);
static inline char *rf_buf_reserve(struct rf_buf *buf, size_t more)
{
    return buf->capacity - buf->size >= more && buf->data ? buf->data + buf->size
                                                          : rf_buf_grow(buf, more);
}
static inline void rf_buf_add(struct rf_buf *buf, const void *data, size_t size)
{
    if (size > 0) {
        memcpy(rf_buf_reserve(buf, size), data, size);
        buf->size += size;
    }
}
static inline void rf_buf_add_str(struct rf_buf *buf, struct rf_str str)
{
    rf_buf_add(buf, str.data, str.size);
}
static inline void rf_buf_add_byte(struct rf_buf *buf, char byte)
{
    *rf_buf_reserve(buf, 1) = byte;
    buf->size++;
}
/* Decimal digits of the number, no allocation beyond the buffer's own growth. */
void rf_buf_add_u64(struct rf_buf *buf, uint64_t number);
void rf_buf_add_i64(struct rf_buf *buf, int64_t number);
void rf_buf_printf(struct rf_buf *buf, const char *format, ...) RF_PRINTF(2, 3);
void rf_buf_vprintf(struct rf_buf *buf, const char *format, va_list args) RF_PRINTF(2, 0);
/* The same bytes as a string; valid until the buffer changes. */
static inline struct rf_str rf_buf_str(const struct rf_buf *buf)
{
    return (struct rf_str){buf->data, buf->size};
}
/* A NUL behind the bytes (not counted in size); returns data. */
const char *rf_buf_cstr(struct rf_buf *buf);
/* Keeps the memory. */
static inline void rf_buf_reset(struct rf_buf *buf)
{
    buf->size = 0;
}
/* reset, then add: buf becomes a copy of str (str must not lie in buf). */
static inline void rf_buf_set(struct rf_buf *buf, struct rf_str str)
{
    buf->size = 0;
    rf_buf_add(buf, str.data, str.size);
}
/* Gives the memory back; the buffer is empty and valid again. */
void rf_buf_deinit(struct rf_buf *buf);
/* The same for what was secret: the memory is overwritten first. */
void rf_buf_wipe(struct rf_buf *buf);

#endif
