#include "lib/mongo_script_wire.h"

#include <endian.h>

enum { OP_REPLY = 1, OP_QUERY = 2004, OP_MSG = 2013 };
/* Of the lower 16 flags all must be understood; a checksum, the first, is not. */
#define FLAGS_UNKNOWN 0xfffdu
enum { FLAG_QUIET = 2, REPLY_AWAITS = 8 };
enum { DOCUMENT_MIN = 5, NAME_MAX_BYTES = 128 };

static uint32_t number_at(const char *data)
{
    uint32_t number;
    memcpy(&number, data, sizeof number);
    return le32toh(number);
}

static void add_number(struct rf_buf *out, uint32_t number)
{
    number = htole32(number);
    rf_buf_add(out, &number, sizeof number);
}

enum rf_status rf_mongo_script_length(const char header[RF_MONGO_SCRIPT_HEADER], size_t *size,
                                      struct rf_error *err)
{
    *size = number_at(header);
    if (*size < RF_MONGO_SCRIPT_HEADER || *size > RF_MONGO_SCRIPT_MESSAGE_MAX) {
        return rf_fail(err, RF_FATAL, "no message has %zu bytes", *size);
    }
    return RF_OK;
}

/* Takes a number off the front. */
static enum rf_status take_number(struct rf_str *rest, uint32_t *number, struct rf_error *err)
{
    if (rest->size < sizeof *number) {
        return rf_fail(err, RF_FATAL, "the message ends inside a number");
    }
    *number = number_at(rest->data);
    *rest = (struct rf_str){rest->data + 4, rest->size - 4};
    return RF_OK;
}

/* Takes a document off the front; it borrows the bytes. */
static enum rf_status take_document(struct rf_str *rest, bson_t *document, struct rf_error *err)
{
    uint32_t size = rest->size < DOCUMENT_MIN ? 0 : number_at(rest->data);
    if (size < DOCUMENT_MIN || size > rest->size) {
        return rf_fail(err, RF_FATAL, "a document of %u bytes, where %zu are left", size,
                       rest->size);
    }
    if (!bson_init_static(document, (const uint8_t *)rest->data, size) ||
        !bson_validate(document, BSON_VALIDATE_NONE, NULL)) {
        return rf_fail(err, RF_FATAL, "what should be a document is none");
    }
    *rest = (struct rf_str){rest->data + size, rest->size - size};
    return RF_OK;
}

static enum rf_status take_name(struct rf_str *rest, struct rf_str *name, struct rf_error *err)
{
    const char *end = rest->size > 0 ? memchr(rest->data, 0, rest->size) : NULL;
    if (end == NULL || end == rest->data || end - rest->data > NAME_MAX_BYTES) {
        return rf_fail(err, RF_FATAL, "a name without an end, too long or empty");
    }
    *name = (struct rf_str){rest->data, (size_t)(end - rest->data)};
    *rest = (struct rf_str){end + 1, rest->size - name->size - 1};
    return RF_OK;
}

/* A section of kind 1 becomes an array of the command. */
static enum rf_status take_sequence(struct rf_str *rest, bson_t *command, struct rf_error *err)
{
    uint32_t size = rest->size < 4 ? 0 : number_at(rest->data);
    struct rf_str section = {rest->data, size}, name;
    bson_t array, document;
    enum rf_status status = RF_OK;
    if (size < 4 || size > rest->size) {
        return rf_fail(err, RF_FATAL, "a sequence of %u bytes, where %zu are left", size,
                       rest->size);
    }
    *rest = (struct rf_str){rest->data + size, rest->size - size};
    section = (struct rf_str){section.data + 4, size - 4};
    status = take_name(&section, &name, err);
    if (status == RF_OK && bson_has_field(command, name.data)) {
        status = rf_fail(err, RF_FATAL, "'%s' comes twice", name.data);
    }
    if (status != RF_OK) {
        return status;
    }
    rf_assert(bson_append_array_begin(command, name.data, (int)name.size, &array));
    for (uint32_t i = 0; section.size > 0 && status == RF_OK; i++) {
        char digits[16];
        const char *key;
        size_t digits_size = bson_uint32_to_string(i, &key, digits, sizeof digits);
        status = take_document(&section, &document, err);
        if (status == RF_OK) {
            rf_assert(bson_append_document(&array, key, (int)digits_size, &document));
        }
    }
    rf_assert(bson_append_array_end(command, &array));
    return status;
}

static enum rf_status parse_message(struct rf_str rest, struct rf_mongo_script_request *request,
                                    struct rf_error *err)
{
    uint32_t flags = 0;
    bool body_seen = false;
    enum rf_status status = take_number(&rest, &flags, err);
    if (status == RF_OK && (flags & FLAGS_UNKNOWN) != 0) {
        return rf_fail(err, RF_FATAL, "flags %#x, of which not all are known", flags);
    }
    request->quiet = (flags & FLAG_QUIET) != 0;
    /* The document may come behind its sequences, but clients send it first. */
    while (status == RF_OK && rest.size > 0) {
        char kind = rest.data[0];
        bson_t document;
        rest = (struct rf_str){rest.data + 1, rest.size - 1};
        if (kind == 0 && !body_seen) {
            status = take_document(&rest, &document, err);
            body_seen = true;
            if (status == RF_OK) {
                rf_assert(bson_concat(&request->command, &document));
            }
        } else if (kind == 1 && body_seen) {
            status = take_sequence(&rest, &request->command, err);
        } else {
            status = rf_fail(err, RF_FATAL, "a section of kind %d in the wrong place", kind);
        }
    }
    if (status == RF_OK && !body_seen) {
        status = rf_fail(err, RF_FATAL, "a message without a document");
    }
    bson_iter_t iter;
    if (status == RF_OK &&
        !(bson_iter_init_find(&iter, &request->command, "$db") && BSON_ITER_HOLDS_UTF8(&iter))) {
        status = rf_fail(err, RF_FATAL, "a command without its $db");
    }
    return status;
}

static enum rf_status parse_query(struct rf_str rest, struct rf_mongo_script_request *request,
                                  struct rf_error *err)
{
    static const char suffix[] = ".$cmd";
    uint32_t flags, skip, count;
    struct rf_str name;
    bson_t document;
    enum rf_status status = take_number(&rest, &flags, err);
    request->query = true;
    if (status == RF_OK) {
        status = take_name(&rest, &name, err);
    }
    if (status == RF_OK && (name.size <= strlen(suffix) ||
                            strcmp(name.data + name.size - strlen(suffix), suffix) != 0)) {
        status = rf_fail(err, RF_FATAL, "a query of '%s': only commands are known", name.data);
    }
    if (status == RF_OK) {
        status = take_number(&rest, &skip, err);
    }
    if (status == RF_OK) {
        status = take_number(&rest, &count, err);
    }
    if (status == RF_OK) {
        status = take_document(&rest, &document, err);
    }
    if (status == RF_OK && rest.size > 0) {
        status = rf_fail(err, RF_FATAL, "%zu bytes behind the end of a query", rest.size);
    }
    if (status == RF_OK) {
        rf_assert(bson_concat(&request->command, &document));
        rf_assert(bson_append_utf8(&request->command, "$db", -1, name.data,
                                   (int)(name.size - strlen(suffix))));
    }
    return status;
}

enum rf_status rf_mongo_script_parse(struct rf_str message, struct rf_mongo_script_request *request,
                                     struct rf_error *err)
{
    size_t size;
    *request = (struct rf_mongo_script_request){0};
    enum rf_status status = rf_mongo_script_length(message.data, &size, err);
    if (status != RF_OK) {
        return status;
    }
    rf_assert(size == message.size);
    struct rf_str rest = {message.data + RF_MONGO_SCRIPT_HEADER, size - RF_MONGO_SCRIPT_HEADER};
    uint32_t kind = number_at(message.data + 12);
    request->id = (int32_t)number_at(message.data + 4);
    bson_init(&request->command);
    if (kind == OP_MSG) {
        status = parse_message(rest, request, err);
    } else if (kind == OP_QUERY) {
        status = parse_query(rest, request, err);
    } else {
        status = rf_fail(err, RF_FATAL, "a message of the kind %u", kind);
    }
    if (status == RF_OK && bson_empty(&request->command)) {
        status = rf_fail(err, RF_FATAL, "an empty command");
    }
    if (status != RF_OK) {
        bson_destroy(&request->command);
    }
    return status;
}

void rf_mongo_script_reply(const struct rf_mongo_script_request *request, const bson_t *reply,
                           struct rf_buf *out)
{
    static uint32_t id;
    size_t before = out->size, extra = request->query ? 20 : 5;
    add_number(out, (uint32_t)(RF_MONGO_SCRIPT_HEADER + extra + reply->len));
    add_number(out, __atomic_add_fetch(&id, 1, __ATOMIC_RELAXED));
    add_number(out, (uint32_t)request->id);
    add_number(out, request->query ? OP_REPLY : OP_MSG);
    if (request->query) {
        add_number(out, REPLY_AWAITS);
        add_number(out, 0);
        add_number(out, 0);
        add_number(out, 0);
        add_number(out, 1);
    } else {
        add_number(out, 0);
        rf_buf_add_byte(out, 0);
    }
    rf_buf_add(out, bson_get_data(reply), reply->len);
    rf_assert(out->size - before == RF_MONGO_SCRIPT_HEADER + extra + reply->len);
}
