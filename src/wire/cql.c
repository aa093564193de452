#include "wire/cql.h"

enum {
    FLAG_VALUES = 0x01,
    FLAG_SKIP_METADATA = 0x02,
    FLAG_PAGE_SIZE = 0x04,
    FLAG_PAGING_STATE = 0x08,
    FLAG_SERIAL = 0x10,
    FLAG_TIMESTAMP = 0x20,
    TRACE_ID = 16,
};

/* -------------------------------------------------------------------------------------- reading */

enum rf_status rf_cql_frame_parse(const char *header, struct rf_cql_frame *frame,
                                  struct rf_error *err)
{
    struct rf_cursor cursor = rf_cursor_of((struct rf_str){header, RF_CQL_HEADER});
    unsigned first = (unsigned)rf_cql_number(&cursor, 1, "version");
    unsigned version = first & ~(unsigned)RF_CQL_ANSWER;
    frame->version = (uint8_t)version;
    frame->flags = (uint8_t)rf_cql_number(&cursor, 1, "flags");
    frame->stream = (int16_t)rf_cql_short(&cursor, "stream");
    frame->opcode = (uint8_t)rf_cql_number(&cursor, 1, "opcode");
    frame->size = (uint32_t)rf_cql_int(&cursor, "size");
    /* A server that does not know our version answers in one of its own. */
    if ((first & RF_CQL_ANSWER) == 0 || version < 3 || version > RF_CQL_VERSION_MAX + 1) {
        return rf_fail(err, RF_FATAL, "what begins with the byte 0x%02x is no answer in CQL",
                       first);
    }
    if (frame->size > RF_CQL_BODY_MAX) {
        return rf_fail(err, RF_FATAL, "an answer that says it has %u bytes", frame->size);
    }
    return RF_OK;
}

void rf_cql_skip_extras(const struct rf_cql_frame *frame, struct rf_cursor *body,
                        struct rf_str *warning)
{
    *warning = RF_STR_NONE;
    if (frame->flags & RF_CQL_FRAME_TRACING) {
        (void)rf_cursor_str(body, TRACE_ID, "trace id");
    }
    if (frame->flags & RF_CQL_FRAME_WARNING) {
        unsigned count = rf_cql_short(body, "warnings");
        for (unsigned i = 0; i < count && body->missing == NULL; i++) {
            struct rf_str text = rf_cql_string(body, "warning");
            *warning = i == 0 ? text : *warning;
        }
    }
    if (frame->flags & RF_CQL_FRAME_PAYLOAD) {
        unsigned count = rf_cql_short(body, "payload");
        for (unsigned i = 0; i < count && body->missing == NULL; i++) {
            (void)rf_cql_string(body, "payload's name");
            (void)rf_cql_bytes(body, "payload");
        }
    }
}

/* Which replicas failed, and why: a number in version 4, else a list of them. */
static void read_failures(struct rf_cursor *body, unsigned version, struct rf_cql_error *error)
{
    error->failures = rf_cql_int(body, "failures");
    for (int32_t i = 0; version >= 5 && i < error->failures && body->missing == NULL; i++) {
        (void)rf_cursor_str(body, rf_cql_number(body, 1, "replica"), "replica");
        (void)rf_cql_short(body, "failure's reason");
    }
}

static void read_answers(struct rf_cursor *body, struct rf_cql_error *error)
{
    error->consistency = rf_cql_short(body, "consistency");
    error->received = rf_cql_int(body, "answers received");
    error->required = rf_cql_int(body, "answers required");
}

static void read_error_extras(struct rf_cursor *body, unsigned version, struct rf_cql_error *error)
{
    switch (error->code) {
    case RF_CQL_UNAVAILABLE:
        error->consistency = rf_cql_short(body, "consistency");
        error->required = rf_cql_int(body, "replicas required");
        error->received = rf_cql_int(body, "replicas alive");
        break;
    case RF_CQL_WRITE_TIMEOUT:
        read_answers(body, error);
        error->write_type = rf_cql_string(body, "write type");
        break; /* of CAS, version 5 tells the contentions behind it */
    case RF_CQL_READ_TIMEOUT:
        read_answers(body, error);
        error->data_present = rf_cql_number(body, 1, "data present") != 0;
        break;
    case RF_CQL_READ_FAILURE:
        read_answers(body, error);
        read_failures(body, version, error);
        error->data_present = rf_cql_number(body, 1, "data present") != 0;
        break;
    case RF_CQL_WRITE_FAILURE:
        read_answers(body, error);
        read_failures(body, version, error);
        error->write_type = rf_cql_string(body, "write type");
        break;
    case RF_CQL_CAS_WRITE_UNKNOWN: read_answers(body, error); break;
    case RF_CQL_FUNCTION_FAILURE:
    case RF_CQL_ALREADY_EXISTS:
        error->keyspace = rf_cql_string(body, "keyspace");
        error->name = rf_cql_string(body, "name");
        break;
    case RF_CQL_UNPREPARED: error->id = rf_cql_string(body, "statement's id"); break;
    default: break;
    }
}

enum rf_status rf_cql_error_parse(struct rf_cursor *body, unsigned version,
                                  struct rf_cql_error *error, struct rf_error *err)
{
    *error = (struct rf_cql_error){.code = rf_cql_int(body, "code")};
    error->message = rf_cql_string(body, "message");
    read_error_extras(body, version, error);
    return rf_cursor_check(body, "ERROR", err);
}

const char *rf_cql_code_name(int32_t code)
{
    switch ((enum rf_cql_code)code) {
    case RF_CQL_SERVER_ERROR: return "server error";
    case RF_CQL_PROTOCOL_ERROR: return "protocol error";
    case RF_CQL_BAD_CREDENTIALS: return "bad credentials";
    case RF_CQL_UNAVAILABLE: return "unavailable";
    case RF_CQL_OVERLOADED: return "overloaded";
    case RF_CQL_BOOTSTRAPPING: return "bootstrapping";
    case RF_CQL_TRUNCATE_ERROR: return "truncate error";
    case RF_CQL_WRITE_TIMEOUT: return "write timeout";
    case RF_CQL_READ_TIMEOUT: return "read timeout";
    case RF_CQL_READ_FAILURE: return "read failure";
    case RF_CQL_FUNCTION_FAILURE: return "function failure";
    case RF_CQL_WRITE_FAILURE: return "write failure";
    case RF_CQL_CDC_WRITE_FAILURE: return "CDC write failure";
    case RF_CQL_CAS_WRITE_UNKNOWN: return "CAS write unknown";
    case RF_CQL_SYNTAX_ERROR: return "syntax error";
    case RF_CQL_UNAUTHORIZED: return "unauthorized";
    case RF_CQL_INVALID: return "invalid";
    case RF_CQL_CONFIG_ERROR: return "configuration error";
    case RF_CQL_ALREADY_EXISTS: return "already exists";
    case RF_CQL_UNPREPARED: return "unprepared";
    }
    return NULL;
}

/* "3/v3", "5/v5", "6/v6-beta". */
static void read_version(struct rf_str text, struct rf_cql_supported *supported)
{
    struct rf_str rest = text, number;
    uint64_t version = 0;
    bool beta = memmem(text.data, text.size, "beta", 4) != NULL;
    if (!beta && rf_str_split(&rest, '/', &number) && rf_str_to_u64(number, &version) &&
        version <= RF_CQL_VERSION_MAX && version > supported->version) {
        supported->version = (unsigned)version;
    }
}

enum rf_status rf_cql_supported_parse(struct rf_cursor *body, struct rf_cql_supported *supported,
                                      struct rf_error *err)
{
    unsigned count = rf_cql_short(body, "options");
    *supported = (struct rf_cql_supported){.version = RF_CQL_VERSION_MIN};
    for (unsigned i = 0; i < count && body->missing == NULL; i++) {
        struct rf_str name = rf_cql_string(body, "option");
        unsigned values = rf_cql_short(body, "values");
        for (unsigned j = 0; j < values && body->missing == NULL; j++) {
            struct rf_str value = rf_cql_string(body, "value");
            if (rf_str_equal(name, RF_STR("PROTOCOL_VERSIONS")) && value.size > 0) {
                read_version(value, supported);
            } else if (rf_str_equal(name, RF_STR("COMPRESSION"))) {
                supported->lz4 |= rf_str_equal(value, RF_STR("lz4"));
            } else if (rf_str_equal(name, RF_STR("CQL_VERSION"))) {
                supported->cql_version = value;
            }
        }
    }
    return rf_cursor_check(body, "SUPPORTED", err);
}

void rf_cql_schema_change_read(struct rf_cursor *body, struct rf_cql_event *event)
{
    event->kind = RF_CQL_SCHEMA_CHANGE;
    event->change = rf_cql_string(body, "change");
    event->target = rf_cql_string(body, "target");
    event->keyspace = rf_cql_string(body, "keyspace");
    if (!rf_str_equal(event->target, RF_STR("KEYSPACE"))) {
        event->name = rf_cql_string(body, "name"); /* of a function its arguments follow */
    }
}

enum rf_status rf_cql_event_parse(struct rf_cursor *body, struct rf_cql_event *event,
                                  struct rf_error *err)
{
    struct rf_str kind = rf_cql_string(body, "kind");
    *event = (struct rf_cql_event){.kind = RF_CQL_OTHER_EVENT};
    if (rf_str_equal(kind, RF_STR("SCHEMA_CHANGE"))) {
        rf_cql_schema_change_read(body, event);
    } else if (rf_str_equal(kind, RF_STR("TOPOLOGY_CHANGE")) ||
               rf_str_equal(kind, RF_STR("STATUS_CHANGE"))) {
        event->kind = kind.data[0] == 'T' ? RF_CQL_TOPOLOGY_CHANGE : RF_CQL_STATUS_CHANGE;
        event->change = rf_cql_string(body, "change");
        event->address = rf_cursor_str(body, rf_cql_number(body, 1, "address"), "address");
        event->port = rf_cql_int(body, "port");
        if (event->address.size != 4 && event->address.size != 16) {
            rf_cursor_fail(body, "address");
        }
    }
    return rf_cursor_check(body, "EVENT", err);
}

/* -------------------------------------------------------------------------------------- writing */

void rf_cql_add_string(struct rf_buf *out, struct rf_str string)
{
    rf_assert(string.size <= UINT16_MAX);
    rf_cql_add_short(out, (uint16_t)string.size);
    rf_buf_add_str(out, string);
}

size_t rf_cql_begin(struct rf_buf *out, unsigned version, int16_t stream, enum rf_cql_opcode opcode)
{
    size_t begin = out->size;
    char *header = rf_buf_reserve(out, RF_CQL_HEADER);
    header[0] = (char)version;
    header[1] = 0;
    header[2] = (char)((uint16_t)stream >> 8);
    header[3] = (char)(uint8_t)stream;
    header[4] = (char)opcode;
    out->size += RF_CQL_HEADER;
    return begin;
}

void rf_cql_end(struct rf_buf *out, size_t begin)
{
    size_t size = out->size - begin - RF_CQL_HEADER;
    rf_assert(size <= RF_CQL_BODY_MAX);
    uint32_t bytes = htobe32((uint32_t)size);
    memcpy(out->data + begin + 5, &bytes, sizeof bytes);
}

void rf_cql_add_startup(struct rf_buf *out, bool lz4)
{
    rf_cql_add_short(out, lz4 ? 3 : 2);
    rf_cql_add_string(out, RF_STR("DRIVER_NAME"));
    rf_cql_add_string(out, RF_STR("rowferry"));
    if (lz4) {
        rf_cql_add_string(out, RF_STR("COMPRESSION"));
        rf_cql_add_string(out, RF_STR("lz4"));
    }
    rf_cql_add_string(out, RF_STR("CQL_VERSION"));
    rf_cql_add_string(out, RF_STR("3.0.0"));
}

void rf_cql_add_auth_plain(struct rf_buf *out, struct rf_str user, struct rf_str password)
{
    rf_cql_add_int(out, (int32_t)(user.size + password.size + 2));
    rf_buf_add_byte(out, '\0');
    rf_buf_add_str(out, user);
    rf_buf_add_byte(out, '\0');
    rf_buf_add_str(out, password);
}

void rf_cql_add_register(struct rf_buf *out)
{
    rf_cql_add_short(out, 2);
    rf_cql_add_string(out, RF_STR("TOPOLOGY_CHANGE"));
    rf_cql_add_string(out, RF_STR("STATUS_CHANGE"));
}

void rf_cql_add_prepare(struct rf_buf *out, unsigned version, struct rf_str text)
{
    rf_cql_add_bytes(out, text);
    if (version >= 5) {
        rf_cql_add_int(out, 0); /* flags */
    }
}

static uint32_t flags_of(const struct rf_cql_parameters *parameters)
{
    return (parameters->value_count > 0 ? FLAG_VALUES : 0u) |
           (parameters->skip_metadata ? FLAG_SKIP_METADATA : 0u) |
           (parameters->page_size > 0 ? FLAG_PAGE_SIZE : 0u) |
           (parameters->paging_state.data != NULL ? FLAG_PAGING_STATE : 0u) |
           (parameters->serial_consistency != 0 ? FLAG_SERIAL : 0u) |
           (parameters->has_timestamp ? FLAG_TIMESTAMP : 0u);
}

static void add_flags(struct rf_buf *out, unsigned version, uint32_t flags)
{
    if (version >= 5) {
        rf_cql_add_int(out, (int32_t)flags);
    } else {
        rf_buf_add_byte(out, (char)flags);
    }
}

void rf_cql_add_parameters(struct rf_buf *out, unsigned version,
                           const struct rf_cql_parameters *parameters)
{
    rf_cql_add_short(out, parameters->consistency);
    add_flags(out, version, flags_of(parameters));
    if (parameters->value_count > 0) {
        rf_cql_add_short(out, parameters->value_count);
    }
}

void rf_cql_add_parameters_end(struct rf_buf *out, const struct rf_cql_parameters *parameters)
{
    if (parameters->page_size > 0) {
        rf_cql_add_int(out, parameters->page_size);
    }
    if (parameters->paging_state.data != NULL) {
        rf_cql_add_bytes(out, parameters->paging_state);
    }
    if (parameters->serial_consistency != 0) {
        rf_cql_add_short(out, parameters->serial_consistency);
    }
    if (parameters->has_timestamp) {
        rf_cql_add_long(out, parameters->timestamp);
    }
}

void rf_cql_add_query(struct rf_buf *out, unsigned version, struct rf_str text,
                      const struct rf_cql_parameters *parameters, const struct rf_str *values)
{
    rf_cql_add_bytes(out, text);
    rf_cql_add_parameters(out, version, parameters);
    for (unsigned i = 0; i < parameters->value_count; i++) {
        if (values[i].data == NULL) {
            rf_cql_add_null(out);
        } else {
            rf_cql_add_bytes(out, values[i]);
        }
    }
    rf_cql_add_parameters_end(out, parameters);
}

void rf_cql_add_batch(struct rf_buf *out, enum rf_cql_batch_kind kind, uint16_t count)
{
    rf_buf_add_byte(out, (char)kind);
    rf_cql_add_short(out, count);
}

void rf_cql_add_batch_prepared(struct rf_buf *out, struct rf_str id, uint16_t value_count)
{
    rf_buf_add_byte(out, 1);
    rf_cql_add_string(out, id);
    rf_cql_add_short(out, value_count);
}

void rf_cql_add_batch_text(struct rf_buf *out, struct rf_str text, uint16_t value_count)
{
    rf_buf_add_byte(out, 0);
    rf_cql_add_bytes(out, text);
    rf_cql_add_short(out, value_count);
}

void rf_cql_add_batch_end(struct rf_buf *out, unsigned version,
                          const struct rf_cql_parameters *parameters)
{
    rf_assert(parameters->value_count == 0 && parameters->page_size == 0 &&
              parameters->paging_state.data == NULL);
    rf_cql_add_short(out, parameters->consistency);
    add_flags(out, version, flags_of(parameters));
    rf_cql_add_parameters_end(out, parameters);
}
