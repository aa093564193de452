/* cql_stub PORT: answers CQL of version 4 at once, whatever it is asked, and keeps nothing.
 *
 * The yardstick of bench/run for what the sink cassandra costs by itself: a node that costs
 * nothing. It knows the questions that the sink asks of a cluster of one node whose table
 * bench.bulk is there already, and says yes to everything else. One connection at a time. It prints
 * "ready" when it is, and at SIGTERM how many statements were carried out, as one line of JSON. */
#include "wire/cql.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEPT_MAX = 512, IN_BYTES = 1 << 20, RESULT_VOID = 1, RESULT_ROWS = 2, RESULT_PREPARED = 4 };

/* The table, as the workload has it and the sink makes it. */
static const struct {
    const char *name, *type;
    uint16_t kind;
} columns[] = {{"id", "bigint", 2}, {"k", "int", 9},          {"c", "text", 13},
               {"pad", "text", 13}, {"amount", "decimal", 6}, {"created", "timestamp", 11},
               {"note", "text", 13}};
enum { COLUMNS = sizeof columns / sizeof *columns };

static volatile unsigned long long executed;
struct kept {
    char bytes[KEPT_MAX];
    size_t size;
};
static struct kept owner, position;

static void end(int number)
{
    char line[64];
    (void)number;
    int size = snprintf(line, sizeof line, "{\"executed\": %llu}\n", executed);
    (void)!write(1, line, (size_t)size);
    _exit(0);
}

/* ---------------------------------------------------------------------------------------- rows */

/* Of `count` columns, which are all called x and hold bytes. */
static void begin_rows(struct rf_buf *out, unsigned count, unsigned rows)
{
    rf_cql_add_int(out, RESULT_ROWS);
    rf_cql_add_int(out, 1);
    rf_cql_add_int(out, (int32_t)count);
    rf_cql_add_string(out, RF_STR("ks"));
    rf_cql_add_string(out, RF_STR("t"));
    for (unsigned i = 0; i < count; i++) {
        rf_cql_add_string(out, RF_STR("x"));
        rf_cql_add_short(out, 3);
    }
    rf_cql_add_int(out, (int32_t)rows);
}

static void add_text(struct rf_buf *out, const char *text)
{
    rf_cql_add_bytes(out, rf_str_of(text));
}

static void add_schema(struct rf_buf *out)
{
    begin_rows(out, 4, COLUMNS);
    for (int i = 0; i < COLUMNS; i++) {
        add_text(out, columns[i].name);
        add_text(out, columns[i].type);
        add_text(out, i == 0 ? "partition_key" : "regular");
        rf_cql_add_int(out, 4);
        rf_cql_add_int(out, i == 0 ? 0 : -1);
    }
}

static void add_local(struct rf_buf *out)
{
    begin_rows(out, 3, 1);
    add_text(out, "0123456789abcdef");
    add_text(out, "stub");
    rf_cql_add_int(out, 4 + 4 + 1); /* a set of one token */
    rf_cql_add_int(out, 1);
    add_text(out, "0");
}

static bool has(struct rf_str text, const char *part)
{
    return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

/* As many as there are commas between SELECT and FROM, and one. */
static unsigned columns_asked(struct rf_str text)
{
    unsigned count = 1;
    const char *from = memmem(text.data, text.size, " FROM ", 6);
    for (const char *at = text.data; from != NULL && at < from; at++) {
        count += *at == ',';
    }
    return count;
}

static void keep(struct kept *kept, struct rf_str value)
{
    kept->size = value.size < sizeof kept->bytes ? value.size : 0;
    memcpy(kept->bytes, value.data, kept->size);
}

/* The owner that is taken comes second of the values, behind an eight-byte epoch; a position comes
 * first. */
static void keep_place(struct rf_cursor *body, bool taken)
{
    (void)rf_cursor_str(body, 2 + 1 + 2, "parameters");
    struct rf_str first = rf_cql_bytes(body, "epoch or position");
    if (taken) {
        keep(&owner, rf_cql_bytes(body, "owner"));
    } else {
        keep(&position, first);
    }
}

static void answer_query(struct rf_buf *out, struct rf_cursor *body)
{
    struct rf_str text = rf_cql_bytes(body, "text");
    if (has(text, "SET epoch") || has(text, "SET position")) {
        keep_place(body, has(text, "SET epoch"));
    }
    if (has(text, " IF owner")) {
        begin_rows(out, 1, 1);
        rf_cql_add_bytes(out, (struct rf_str){"\1", 1});
    } else if (!rf_str_starts(text, RF_STR("SELECT"))) {
        rf_cql_add_int(out, RESULT_VOID);
    } else if (has(text, "system_schema.columns")) {
        add_schema(out);
    } else if (has(text, "host_id, data_center, tokens FROM system.local")) {
        add_local(out);
    } else if (rf_str_starts(text, RF_STR("SELECT owner"))) {
        begin_rows(out, 2, 1);
        rf_cql_add_bytes(out, (struct rf_str){owner.bytes, owner.size});
        rf_cql_add_bytes(out, (struct rf_str){position.bytes, position.size});
    } else if (has(text, "system_schema.")) {
        begin_rows(out, 1, 1);
        add_text(out, "here");
    } else {
        begin_rows(out, columns_asked(text), 0);
    }
}

/* INSERT binds all columns, DELETE the key. */
static void answer_prepare(struct rf_buf *out, struct rf_cursor *body)
{
    struct rf_str text = rf_cql_bytes(body, "text");
    int count = rf_str_starts(text, RF_STR("DELETE")) ? 1 : COLUMNS;
    rf_cql_add_int(out, RESULT_PREPARED);
    rf_cql_add_string(out, count == 1 ? RF_STR("0123456789abcdeD") : RF_STR("0123456789abcdeI"));
    rf_cql_add_int(out, 1);
    rf_cql_add_int(out, count);
    rf_cql_add_int(out, 1);
    rf_cql_add_short(out, 0);
    rf_cql_add_string(out, RF_STR("ks"));
    rf_cql_add_string(out, RF_STR("t"));
    for (int i = 0; i < count; i++) {
        rf_cql_add_string(out, rf_str_of(columns[i].name));
        rf_cql_add_short(out, columns[i].kind);
    }
    rf_cql_add_int(out, 4); /* of its rows nothing is said */
    rf_cql_add_int(out, 0);
}

static void answer(struct rf_buf *out, int16_t stream, uint8_t opcode, struct rf_str bytes)
{
    struct rf_cursor body = rf_cursor_of(bytes);
    enum rf_cql_opcode kind = opcode == RF_CQL_OPTIONS ? RF_CQL_SUPPORTED
                              : opcode == RF_CQL_STARTUP || opcode == RF_CQL_REGISTER
                                  ? RF_CQL_READY
                                  : RF_CQL_RESULT;
    size_t begin = rf_cql_begin(out, 4 | RF_CQL_ANSWER, stream, kind);
    switch (opcode) {
    case RF_CQL_OPTIONS: rf_cql_add_short(out, 0); break;
    case RF_CQL_QUERY: answer_query(out, &body); break;
    case RF_CQL_PREPARE: answer_prepare(out, &body); break;
    case RF_CQL_EXECUTE:
        rf_cql_add_int(out, RESULT_VOID);
        executed++;
        break;
    default: break;
    }
    rf_cql_end(out, begin);
}

/* ---------------------------------------------------------------------------------- connections */

static bool send_all(int fd, struct rf_buf *out)
{
    size_t sent = 0;
    while (sent < out->size) {
        ssize_t size = write(fd, out->data + sent, out->size - sent);
        if (size <= 0) {
            return false;
        }
        sent += (size_t)size;
    }
    out->size = 0;
    return true;
}

static void serve(int fd)
{
    static char in[IN_BYTES];
    struct rf_buf out = {0};
    size_t filled = 0;
    for (ssize_t size; (size = read(fd, in + filled, sizeof in - filled)) > 0;) {
        size_t used = 0;
        filled += (size_t)size;
        while (filled - used >= RF_CQL_HEADER) {
            struct rf_cursor head = rf_cursor_of((struct rf_str){in + used, RF_CQL_HEADER});
            (void)rf_cql_short(&head, "version");
            int16_t stream = (int16_t)rf_cql_short(&head, "stream");
            uint8_t opcode = (uint8_t)rf_cql_number(&head, 1, "opcode");
            size_t body = (size_t)rf_cql_number(&head, 4, "size");
            if (filled - used - RF_CQL_HEADER < body) {
                break;
            }
            answer(&out, stream, opcode, (struct rf_str){in + used + RF_CQL_HEADER, body});
            used += RF_CQL_HEADER + body;
        }
        memmove(in, in + used, filled - used);
        filled -= used;
        if (!send_all(fd, &out)) {
            break;
        }
    }
    rf_buf_deinit(&out);
    close(fd);
}

int main(int argc, char **argv)
{
    int on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sigaction action = {.sa_handler = end};
    if (argc != 2) {
        fputs("usage: cql_stub PORT\n", stderr);
        return 1;
    }
    at.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(listener, 1) != 0) {
        perror("cql_stub");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0) {
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            serve(fd);
        }
    }
}
