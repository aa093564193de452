#include "control/document.h"

#include "base/memory.h"

#include <stdlib.h>

/* One table for writing and reading. */
enum kind { TEXT, BOOL, U64, I64 };
struct member {
    const char *name;
    enum kind kind;
    size_t offset;
};
#define ACTOR(field, kind)                                      \
    {                                                           \
#field, kind, offsetof(struct rf_document_actor, field) \
    }
#define WHOLE(field, kind)                                \
    {                                                     \
#field, kind, offsetof(struct rf_document, field) \
    }
#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct member actor_members[] = {
    ACTOR(name, TEXT),
    ACTOR(address, TEXT),
    ACTOR(state, TEXT),
    ACTOR(own_feed, BOOL),
    ACTOR(position, TEXT),
    ACTOR(recorded, TEXT),
    ACTOR(lag_ms, I64),
    ACTOR(events, U64),
    ACTOR(transactions, U64),
    ACTOR(events_per_second, U64),
    ACTOR(events_per_second_total, U64),
    ACTOR(skipped, U64),
    ACTOR(waived, U64),
    ACTOR(marked, U64),
    ACTOR(gone, U64),
    ACTOR(buried, U64),
    ACTOR(held_bytes, U64),
    ACTOR(error, TEXT),
    ACTOR(try, U64),
    ACTOR(retry_in_ms, I64),
};
static const struct member whole_members[] = {
    WHOLE(name, TEXT),     WHOLE(pid, I64),      WHOLE(uptime_ms, I64),
    WHOLE(stopping, BOOL), WHOLE(healthy, BOOL),
};

/* ---- From a snapshot ------------------------------------------------------------------------- */

void rf_document_take(struct rf_document_actor *out, const struct rf_actor_snapshot *snapshot)
{
    out->address = rf_str_of(snapshot->address);
    out->state = rf_str_of(rf_phase_name(snapshot->phase));
    out->position = rf_buf_str(&snapshot->position);
    out->recorded = rf_buf_str(&snapshot->recorded);
    out->error = rf_buf_str(&snapshot->message);
    out->own_feed = snapshot->own_feed;
    out->try = snapshot->try;
    out->retry_in_ms = snapshot->retry_in_ms;
    out->lag_ms = snapshot->lag_ms;
    out->events = snapshot->events;
    out->transactions = snapshot->transactions;
    out->skipped = snapshot->skipped;
    out->waived = snapshot->waived;
    out->marked = snapshot->marked;
    out->gone = snapshot->gone;
    out->buried = snapshot->buried;
    out->held_bytes = snapshot->held_bytes;
}

static bool is_in(const struct rf_document_actor *actor, enum rf_phase phase)
{
    return rf_str_equal(actor->state, rf_str_of(rf_phase_name(phase)));
}

bool rf_document_judge(const struct rf_document *document)
{
    const struct rf_document_actor *source = &document->source;
    bool healthy = !document->stopping && !is_in(source, RF_PHASE_CONNECTING) &&
                   !is_in(source, RF_PHASE_RETRYING);

    for (uint32_t i = 0; i < document->sink_count && healthy; i++) {
        healthy = is_in(&document->sinks[i], RF_PHASE_STREAMING) ||
                  is_in(&document->sinks[i], RF_PHASE_DONE);
    }
    return healthy;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Bytes of the character of UTF-8 that begins there; 0: none does. Source: RFC 3629, section 4. */
static size_t character(const unsigned char *at, size_t left)
{
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    if (size == 0 || size > left || at[0] > 0xF4) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool too_long = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xF0 && at[1] < 0x90);
    bool surrogate = at[0] == 0xED && at[1] > 0x9F, beyond = at[0] == 0xF4 && at[1] > 0x8F;
    return too_long || surrogate || beyond ? 0 : size;
}

static void print_text(struct rf_buf *out, struct rf_str text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;

    rf_buf_add_byte(out, '"');
    for (size_t i = 0; i < text.size;) {
        size_t size = character(bytes + i, text.size - i);
        if (size == 0 || bytes[i] < ' ' || bytes[i] == 0x7f) {
            rf_buf_printf(out, "\\u%04x", bytes[i]);
            size = 1;
        } else if (bytes[i] == '"' || bytes[i] == '\\') {
            rf_buf_printf(out, "\\%c", bytes[i]);
        } else {
            rf_buf_add(out, bytes + i, size);
        }
        i += size;
    }
    rf_buf_add_byte(out, '"');
}

static void print_members(struct rf_buf *out, const struct member *members, size_t count,
                          const void *object)
{
    for (size_t i = 0; i < count; i++) {
        const void *at = (const char *)object + members[i].offset;
        rf_buf_printf(out, "%s\"%s\":", i > 0 ? "," : "", members[i].name);
        switch (members[i].kind) {
        case TEXT: print_text(out, *(const struct rf_str *)at); break;
        case BOOL: rf_buf_printf(out, *(const bool *)at ? "true" : "false"); break;
        case U64: rf_buf_add_u64(out, *(const uint64_t *)at); break;
        case I64: rf_buf_add_i64(out, *(const int64_t *)at); break;
        }
    }
}

void rf_document_print(struct rf_buf *out, const struct rf_document *document)
{
    rf_buf_add_byte(out, '{');
    print_members(out, whole_members, COUNT(whole_members), document);
    rf_buf_printf(out, ",\"source\":{");
    print_members(out, actor_members, COUNT(actor_members), &document->source);
    rf_buf_printf(out, "},\"sinks\":[");
    for (uint32_t i = 0; i < document->sink_count; i++) {
        rf_buf_printf(out, "%s{", i > 0 ? "," : "");
        print_members(out, actor_members, COUNT(actor_members), &document->sinks[i]);
        rf_buf_add_byte(out, '}');
    }
    rf_buf_printf(out, "]}");
}

/* ---- Reading: JSON as RFC 8259 has it -------------------------------------------------------- */

enum { DEPTH_MAX = 16, SINKS_MAX = 4096 };

struct reader {
    const char *at, *end;
    struct rf_document *out;
    unsigned depth;
};

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && memchr(" \t\r\n", *reader->at, 4) != NULL) {
        reader->at++;
    }
}

static bool take(struct reader *reader, char byte)
{
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != byte) {
        return false;
    }
    reader->at++;
    return true;
}

static bool take_word(struct reader *reader, const char *word)
{
    struct rf_str rest = {reader->at, (size_t)(reader->end - reader->at)};
    if (!rf_str_starts(rest, rf_str_of(word))) {
        return false;
    }
    reader->at += strlen(word);
    return true;
}

static bool read_hex(struct reader *reader, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char byte = reader->at < reader->end ? *reader->at++ : '\0';
        int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                    : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                    : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                                 : -1;
        if (digit < 0) {
            return false;
        }
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

static void add_character(struct rf_buf *text, uint32_t code)
{
    if (code < 0x80) {
        rf_buf_add_byte(text, (char)code);
        return;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    rf_buf_add_byte(text, (char)(leads[more] | code >> (6 * more)));
    for (int i = more - 1; i >= 0; i--) {
        rf_buf_add_byte(text, (char)(0x80 | (code >> (6 * i) & 0x3F)));
    }
}

/* Behind "\u". */
static bool read_code(struct reader *reader, struct rf_buf *text)
{
    uint32_t code, low;
    if (!read_hex(reader, &code)) {
        return false;
    }
    if (code >= 0xD800 && code < 0xDC00) {
        if (!take_word(reader, "\\u") || !read_hex(reader, &low) || low < 0xDC00 || low > 0xDFFF) {
            return false;
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code >= 0xDC00 && code <= 0xDFFF) {
        return false;
    }
    add_character(text, code);
    return true;
}

static bool read_escape(struct reader *reader, struct rf_buf *text)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end) {
        return false;
    }
    char name = *reader->at++;
    if (name == 'u') {
        return read_code(reader, text);
    }
    const char *found = memchr(names, name, sizeof names - 1);
    if (found != NULL) {
        rf_buf_add_byte(text, bytes[found - names]);
    }
    return found != NULL;
}

/* Into the document's text; as an offset there, as the text may still move. */
static bool read_text(struct reader *reader, struct rf_str *out)
{
    struct rf_buf *text = &reader->out->text;
    size_t begin = text->size;
    if (!take(reader, '"')) {
        return false;
    }
    while (reader->at < reader->end && *reader->at != '"') {
        char byte = *reader->at++;
        if ((unsigned char)byte < ' ' || (byte == '\\' && !read_escape(reader, text))) {
            return false;
        }
        if (byte != '\\') {
            rf_buf_add_byte(text, byte);
        }
    }
    *out = (struct rf_str){(const char *)(uintptr_t)begin, text->size - begin};
    return take(reader, '"');
}

static struct rf_str read_number(struct reader *reader)
{
    const char *begin = reader->at;
    while (reader->at < reader->end && memchr("+-.0123456789eE", *reader->at, 15) != NULL) {
        reader->at++;
    }
    return (struct rf_str){begin, (size_t)(reader->at - begin)};
}

static bool read_bool(struct reader *reader, bool *out)
{
    *out = take_word(reader, "true");
    return *out || take_word(reader, "false");
}

static bool skip_value(struct reader *reader);

/* Each member's name is read, then `value` reads what stands behind the colon. */
static bool read_object(struct reader *reader,
                        bool (*value)(struct reader *reader, struct rf_str name, void *object),
                        void *object)
{
    if (!take(reader, '{')) {
        return false;
    }
    if (take(reader, '}')) {
        return true;
    }
    do {
        struct rf_str name;
        size_t kept = reader->out->text.size;
        if (!read_text(reader, &name) || !take(reader, ':')) {
            return false;
        }
        skip_blanks(reader);
        char word[32] = "";
        if (name.size < sizeof word && name.size > 0) {
            memcpy(word, reader->out->text.data + kept, name.size);
        }
        reader->out->text.size = kept;
        if (!value(reader, rf_str_of(word), object)) {
            return false;
        }
    } while (take(reader, ','));
    return take(reader, '}');
}

static bool read_array(struct reader *reader, bool (*value)(struct reader *reader))
{
    if (!take(reader, '[')) {
        return false;
    }
    if (take(reader, ']')) {
        return true;
    }
    do {
        skip_blanks(reader);
        if (!value(reader)) {
            return false;
        }
    } while (take(reader, ','));
    return take(reader, ']');
}

static bool skip_member(struct reader *reader, struct rf_str name, void *object)
{
    (void)name;
    (void)object;
    return skip_value(reader);
}

static bool skip_value(struct reader *reader)
{
    struct rf_str ignored;
    size_t kept = reader->out->text.size;
    bool good = false, flag;
    if (reader->at == reader->end || ++reader->depth > DEPTH_MAX) {
        return false;
    }
    switch (*reader->at) {
    case '{': good = read_object(reader, skip_member, NULL); break;
    case '[': good = read_array(reader, skip_value); break;
    case '"': good = read_text(reader, &ignored); break;
    case 't':
    case 'f': good = read_bool(reader, &flag); break;
    case 'n': good = take_word(reader, "null"); break;
    default: good = read_number(reader).size > 0; break;
    }
    reader->out->text.size = kept;
    reader->depth--;
    return good;
}

static bool read_member(struct reader *reader, struct rf_str name, const struct member *members,
                        size_t count, void *object)
{
    for (size_t i = 0; i < count; i++) {
        if (!rf_str_equal(name, rf_str_of(members[i].name))) {
            continue;
        }
        void *at = (char *)object + members[i].offset;
        switch (members[i].kind) {
        case TEXT: return read_text(reader, at);
        case BOOL: return read_bool(reader, at);
        case U64: return rf_str_to_u64(read_number(reader), at);
        case I64: return rf_str_to_i64(read_number(reader), at);
        }
    }
    return skip_value(reader);
}

static bool read_actor_member(struct reader *reader, struct rf_str name, void *object)
{
    return read_member(reader, name, actor_members, COUNT(actor_members), object);
}

static bool read_sink(struct reader *reader)
{
    struct rf_document *out = reader->out;
    if (out->sink_count == SINKS_MAX) {
        return false;
    }
    out->sinks = rf_realloc(out->sinks, (out->sink_count + 1) * sizeof *out->sinks);
    struct rf_document_actor *sink = &out->sinks[out->sink_count++];
    *sink = (struct rf_document_actor){0};
    return read_object(reader, read_actor_member, sink);
}

static bool read_whole_member(struct reader *reader, struct rf_str name, void *object)
{
    struct rf_document *out = object;
    if (rf_str_equal(name, RF_STR("source"))) {
        return read_object(reader, read_actor_member, &out->source);
    }
    if (rf_str_equal(name, RF_STR("sinks"))) {
        return read_array(reader, read_sink);
    }
    return read_member(reader, name, whole_members, COUNT(whole_members), out);
}

/* Offsets become pointers. */
static void settle(const struct rf_document *document, const struct member *members, size_t count,
                   void *object)
{
    for (size_t i = 0; i < count; i++) {
        struct rf_str *text = (struct rf_str *)(void *)((char *)object + members[i].offset);
        if (members[i].kind == TEXT) {
            text->data = text->size > 0 ? document->text.data + (uintptr_t)text->data : NULL;
        }
    }
}

enum rf_status rf_document_read(struct rf_document *out, struct rf_str json, struct rf_error *err)
{
    struct reader reader = {json.data, json.data + json.size, out, 0};
    bool good = json.size > 0 && read_object(&reader, read_whole_member, out);
    skip_blanks(&reader);
    settle(out, whole_members, COUNT(whole_members), out);
    settle(out, actor_members, COUNT(actor_members), &out->source);
    for (uint32_t i = 0; i < out->sink_count; i++) {
        settle(out, actor_members, COUNT(actor_members), &out->sinks[i]);
    }
    if (!good || reader.at != reader.end) {
        return rf_fail(err, RF_FATAL,
                       "what answered is no running pipeline: byte %zu makes no sense",
                       json.size > 0 ? (size_t)(reader.at - json.data) : 0);
    }
    return RF_OK;
}

void rf_document_deinit(struct rf_document *document)
{
    rf_buf_deinit(&document->text);
    free(document->sinks);
    *document = (struct rf_document){0};
}
