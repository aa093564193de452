/* The container of MongoDB's protocol.
 *
 * Where the machine has a mongod, that is used: it asks for passwords, and has users as the other
 * containers do. Elsewhere tools/servers has a server for tests, which keeps all in memory and
 * knows no users; describe says so. */
#include "net/mongo.h"
#include "container/type.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TIMEOUT_MS = 5000,
    USER_ROOT = 0,
    USER_FERRY = 1,
    USER_APPLICATION = 2,
    NAMESPACE_EXISTS = 48,
};

extern const struct rf_container_type rf_container_mongo;

static const char *user_name(int user)
{
    return rf_container_mongo.users[user];
}

/* ---- Starting -------------------------------------------------------------------------------- */

/* What serves this home, or will, as tools/servers decides it: true for a real mongod. */
static bool is_mongod(const struct rf_home *home)
{
    const char *chosen = getenv("ROWFERRY_MONGO");
    struct rf_buf path = {0};
    char program[16] = "";
    int file = open(rf_home_file(home, "mongo.program", &path), O_RDONLY | O_CLOEXEC);
    bool real = false;

    if (file >= 0) {
        ssize_t size = read(file, program, sizeof program - 1);
        real = size > 0 && strncmp(program, "mongod", 6) == 0;
        close(file);
    } else if (chosen == NULL || strcmp(chosen, "java") != 0) {
        rf_buf_reset(&path);
        real = rf_process_find("mongod", &path);
    }
    rf_buf_deinit(&path);
    return real;
}

static enum rf_status equip(const struct rf_home *home, int64_t memory_bytes,
                            struct rf_words *options, struct rf_error *err)
{
    (void)err;
    if (is_mongod(home)) {
        rf_words_add(options, "--auth");
        if (memory_bytes > 0) {
            rf_words_add(options, "--wiredTigerCacheSizeGB");
            rf_words_add(options, "%.3f", (double)memory_bytes / (1 << 30));
        }
    } else if (memory_bytes > 0) {
        rf_words_add(options, "-Xmx%lldk", (long long)memory_bytes / 1024);
    }
    return RF_OK;
}

/* called: "mongo: mongod 7.0.1", or "mongo: mongo-java-server 1.47.0, data in memory only,". */
static void describe(const struct rf_home *home, struct rf_str called, struct rf_buf *out)
{
    struct rf_str kind, program = called;

    rf_str_split(&program, ' ', &kind);
    if (is_mongod(home)) {
        rf_buf_printf(out, "this machine's %.*s", RF_STR_ARG(program));
        return;
    }
    struct rf_str rest = program;
    rf_str_split(&rest, ',', &program);
    rf_buf_printf(out,
                  "%.*s, a server for tests: it forgets all when it stops, and asks for no "
                  "password",
                  RF_STR_ARG(program));
}

/* ---- Asking ---------------------------------------------------------------------------------- */

/* user: -1: without logging in. */
static enum rf_status connect_as(struct rf_mongo *mongo, const struct rf_home *home, uint16_t port,
                                 int user, struct rf_error *err)
{
    struct rf_mongo_address address = {.host = "127.0.0.1",
                                       .port = port,
                                       .tls = {.mode = RF_TLS_OFF},
                                       .connect_timeout_ms = TIMEOUT_MS,
                                       .timeout_ms = TIMEOUT_MS};
    struct rf_buf secret = {0};
    enum rf_status status = RF_OK;

    if (user >= 0) {
        status = rf_home_secret(home, user_name(user), &secret, err);
        address.user = user_name(user);
        address.password = secret.data;
    }
    if (status == RF_OK) {
        status = rf_mongo_connect(mongo, &address, err);
    }
    rf_buf_wipe(&secret);
    return status;
}

/* Takes the command over. */
static enum rf_status run(struct rf_mongo *mongo, const char *database, bson_t *command,
                          struct rf_error *err)
{
    bson_t reply;
    enum rf_status status = rf_mongo_run(mongo, database, command, &reply, err);

    bson_destroy(&reply);
    bson_destroy(command);
    return status;
}

/* A fresh mongod has no users yet: then whoever comes from this machine may make the first one. */
static enum rf_status answers(const struct rf_home *home, uint16_t port, struct rf_error *err)
{
    struct rf_mongo mongo = {0};
    bool real = is_mongod(home);
    enum rf_status status = connect_as(&mongo, home, port, real ? USER_ROOT : -1, err);

    if (real && status == RF_CONFIG && err->access) {
        rf_mongo_close(&mongo);
        status = connect_as(&mongo, home, port, -1, err);
    }
    if (status == RF_OK) {
        status = run(&mongo, "admin", BCON_NEW("ping", BCON_INT32(1)), err);
    }
    rf_mongo_close(&mongo);
    return status;
}

/* ---- Preparing ------------------------------------------------------------------------------- */

static enum rf_status make_root(const struct rf_home *home, uint16_t port, struct rf_error *err)
{
    struct rf_mongo mongo = {0};
    struct rf_buf secret = {0};
    enum rf_status status = connect_as(&mongo, home, port, -1, err);

    if (status == RF_OK) {
        status = rf_home_secret(home, user_name(USER_ROOT), &secret, err);
    }
    if (status == RF_OK) {
        status = run(&mongo, "admin",
                     BCON_NEW("createUser", BCON_UTF8(user_name(USER_ROOT)), "pwd",
                              BCON_UTF8(secret.data), "roles", "[", BCON_UTF8("root"), "]"),
                     err);
    }
    rf_buf_wipe(&secret);
    rf_mongo_close(&mongo);
    return status;
}

/* Where it cannot be told the making of it will say what is wrong. */
static bool has_user(struct rf_mongo *mongo, int user)
{
    struct rf_error ignored = {0};
    bson_t *command = BCON_NEW("usersInfo", BCON_UTF8(user_name(user)));
    bson_t reply;
    bson_iter_t at, inner;
    bool there = rf_mongo_run(mongo, "admin", command, &reply, &ignored) == RF_OK &&
                 bson_iter_init_find(&at, &reply, "users") && BSON_ITER_HOLDS_ARRAY(&at) &&
                 bson_iter_recurse(&at, &inner) && bson_iter_next(&inner);

    bson_destroy(&reply);
    bson_destroy(command);
    return there;
}

/* May read and write the databases `pluto` and, for the one who keeps positions there,
 * `rowferry`. */
static enum rf_status make_user(struct rf_mongo *mongo, const struct rf_home *home, int user,
                                struct rf_error *err)
{
    struct rf_buf secret = {0};
    const char *second = user == USER_FERRY ? "rowferry" : "pluto";
    enum rf_status status = rf_home_secret(home, user_name(user), &secret, err);

    if (status == RF_OK) {
        status = run(mongo, "admin",
                     BCON_NEW("createUser", BCON_UTF8(user_name(user)), "pwd",
                              BCON_UTF8(secret.data), "roles", "[", "{", "role",
                              BCON_UTF8("readWrite"), "db", BCON_UTF8("pluto"), "}", "{", "role",
                              BCON_UTF8("readWrite"), "db", BCON_UTF8(second), "}", "]"),
                     err);
    }
    rf_buf_wipe(&secret);
    return status;
}

static enum rf_status make_users(struct rf_mongo *mongo, const struct rf_home *home,
                                 struct rf_error *err)
{
    enum rf_status status = RF_OK;

    for (int user = USER_FERRY; status == RF_OK && user <= USER_APPLICATION; user++) {
        if (!has_user(mongo, user)) {
            status = make_user(mongo, home, user, err);
        }
    }
    return status;
}

/* The pipeline makes its collections itself; this one is the scheduler's own. */
static enum rf_status make_notes(struct rf_mongo *mongo, struct rf_error *err)
{
    struct rf_error failure = {0};
    enum rf_status status = run(mongo, "pluto", BCON_NEW("create", BCON_UTF8("notes")), &failure);

    if (status != RF_OK && failure.code == NAMESPACE_EXISTS) {
        return RF_OK;
    }
    if (status != RF_OK) {
        *err = failure;
    }
    return status;
}

static enum rf_status prepare(const struct rf_home *home, uint16_t port, struct rf_error *err)
{
    struct rf_mongo mongo = {0};
    bool real = is_mongod(home);
    enum rf_status status = connect_as(&mongo, home, port, real ? USER_ROOT : -1, err);

    if (real && status == RF_CONFIG && err->access) {
        rf_mongo_close(&mongo);
        status = make_root(home, port, err);
        if (status == RF_OK) {
            status = connect_as(&mongo, home, port, USER_ROOT, err);
        }
    }
    if (status == RF_OK && real) {
        status = make_users(&mongo, home, err);
    }
    if (status == RF_OK) {
        status = make_notes(&mongo, err);
    }
    rf_mongo_close(&mongo);
    return status;
}

const struct rf_container_type rf_container_mongo = {
    .name = "mongo",
    .title = "MongoDB",
    .server = "final_mongo_container",
    .port = 1800,
    .users = {[USER_ROOT] = "root", [USER_FERRY] = "rowferry", [USER_APPLICATION] = "pluto"},
    .kind = "mongo",
    .equip = equip,
    .describe = describe,
    .has_users = is_mongod,
    .answers = answers,
    .prepare = prepare,
};
