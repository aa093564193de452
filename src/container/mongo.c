/* The container of MongoDB's protocol.
 *
 * Where the machine has a mongod, or an engine an image of it, that is used: it asks for passwords,
 * has users as the other containers do, and is a replica set of one, as changes can be read from a
 * replica set only. Elsewhere tools/servers has a server for tests, which keeps all in memory and
 * knows no users; describe says so. */
#include "net/mongo.h"
#include "base/random.h"
#include "container/notes.h"
#include "container/type.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TIMEOUT_MS = 5000,
    USER_ROOT = 0,
    USER_FERRY = 1,
    USER_APPLICATION = 2,
    NO_SUCH_COMMAND = 59,
    ALREADY_INITIALIZED = 23,
    KEY_BYTES = 96, /* of the file by which members know each other, before Base64 */
};

/* Inside an image of mongod, its user. */
enum { MONGODB_USER = 999 };

static const char set_name[] = "rowferry";

extern const struct rf_container_type rf_container_mongo;

static const char *user_name(int user)
{
    return rf_container_mongo.users[user];
}

/* ---- Starting -------------------------------------------------------------------------------- */

/* What serves this home, or will, as tools/servers decides it, or as an engine's container has
 * answered (learn): true for a real mongod. */
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
    } else if (!rf_home_is_native(home)) {
        real = true; /* until it is known better */
    } else if (chosen == NULL || strcmp(chosen, "java") != 0) {
        rf_buf_reset(&path);
        real = rf_process_find("mongod", &path);
    }
    rf_buf_deinit(&path);
    return real;
}

/* Appends what mongod takes for a key file. There is one member, so a new one at each start is as
 * good. */
static enum rf_status make_key(struct rf_buf *out, struct rf_error *err)
{
    unsigned char bytes[KEY_BYTES];
    char digits[2 * KEY_BYTES + 1];
    enum rf_status status = rf_random_hex(bytes, sizeof bytes, digits, err);

    if (status == RF_OK) {
        rf_buf_add(out, digits, 2 * KEY_BYTES);
        rf_buf_add_byte(out, '\n');
    }
    explicit_bzero(digits, sizeof digits);
    explicit_bzero(bytes, sizeof bytes);
    return status;
}

static enum rf_status equip(const struct rf_home *home, int64_t memory_bytes,
                            struct rf_words *options, struct rf_error *err)
{
    if (is_mongod(home)) {
        struct rf_buf key = {0}, path = {0};
        enum rf_status status = make_key(&key, err);
        if (status == RF_OK) {
            status = rf_home_give(home, "mongo.key", rf_buf_str(&key), err);
        }
        /* The key implies that everybody has to log in. */
        rf_words_add(options, "--keyFile");
        rf_words_add(options, "%s", rf_home_file(home, "mongo.key", &path));
        rf_words_add(options, "--replSet");
        rf_words_add(options, "%s", set_name);
        rf_buf_wipe(&key);
        rf_buf_deinit(&path);
        if (status != RF_OK) {
            return status;
        }
        if (memory_bytes > 0) {
            rf_words_add(options, "--wiredTigerCacheSizeGB");
            rf_words_add(options, "%.3f", (double)memory_bytes / (1 << 30));
        }
    } else {
        rf_words_add(options, "--oplog"); /* without it there are no change streams */
        if (memory_bytes > 0) {
            rf_words_add(options, "-Xmx%lldk", (long long)memory_bytes / 1024);
        }
    }
    return RF_OK;
}

/* As the official images take it: root's password out of a file at the first start, the rest as the
 * command. It listens inside on the port that it has outside, as a member of a set is asked for by
 * the address that the set knows. */
static enum rf_status pack(const struct rf_home *home, struct rf_pack *pack, struct rf_error *err)
{
    static const char *const words[] = {"mongod", "--bind_ip_all", "--replSet",
                                        set_name, "--keyFile",     RF_PACK_DIRECTORY "/mongo.key",
                                        "--port"};
    struct rf_buf secret = {0};
    enum rf_status status = rf_home_secret(home, user_name(USER_ROOT), &secret, err);

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        rf_words_add(&pack->command, "%s", words[i]);
    }
    rf_words_add(&pack->command, "%u", home->settings.port);
    rf_words_add(&pack->environment, "MONGO_INITDB_ROOT_USERNAME=%s", user_name(USER_ROOT));
    rf_words_add(&pack->environment, "%s",
                 "MONGO_INITDB_ROOT_PASSWORD_FILE=" RF_PACK_DIRECTORY "/root");
    rf_buf_add_str(rf_pack_file(pack, "root", 0644, 0), rf_buf_str(&secret));
    if (status == RF_OK) {
        status = make_key(rf_pack_file(pack, "mongo.key", 0400, MONGODB_USER), err);
    }
    rf_buf_wipe(&secret);
    return status;
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
                                       .any = true, /* before it is a set it has no primary */
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

/* What answers in an engine's container, the first time that it does: only a real one knows
 * `hello`. It is kept in the home. */
static void learn(const struct rf_home *home, uint16_t port)
{
    struct rf_mongo mongo = {0};
    struct rf_error why = {0};
    struct rf_buf path = {0};

    if (access(rf_home_file(home, "mongo.program", &path), F_OK) == 0 || rf_home_is_native(home)) {
        goto done;
    }
    enum rf_status status = connect_as(&mongo, home, port, -1, &why);
    if (status == RF_OK) {
        status = run(&mongo, "admin", BCON_NEW("hello", BCON_INT32(1)), &why);
    }
    if (status == RF_OK || why.code == NO_SUCH_COMMAND) {
        struct rf_str name = status == RF_OK ? RF_STR("mongod\n") : RF_STR("mongo-java-server\n");
        struct rf_error ignored = {0};
        status = rf_home_keep(home, "mongo.program", name, &ignored); /* else the next time */
    }

done:
    rf_mongo_close(&mongo);
    rf_buf_deinit(&path);
}

/* A fresh mongod has no users yet: then whoever comes from this machine may make the first one. */
static enum rf_status connect(struct rf_mongo *mongo, const struct rf_home *home, uint16_t port,
                              bool *empty, struct rf_error *err)
{
    bool real = is_mongod(home);
    enum rf_status status = connect_as(mongo, home, port, real ? USER_ROOT : -1, err);

    *empty = real && rf_home_is_native(home) && status == RF_CONFIG && err->access;
    if (*empty) {
        rf_mongo_close(mongo);
        status = connect_as(mongo, home, port, -1, err);
    }
    return status;
}

static enum rf_status answers(const struct rf_home *home, uint16_t port, struct rf_error *err)
{
    struct rf_mongo mongo = {0};
    bool empty = false;

    learn(home, port);
    enum rf_status status = connect(&mongo, home, port, &empty, err);
    if (status == RF_OK) {
        status = run(&mongo, "admin", BCON_NEW("ping", BCON_INT32(1)), err);
    }
    rf_mongo_close(&mongo);
    return status;
}

/* ---- Preparing ------------------------------------------------------------------------------- */

/* Whether it is the set's primary by now, after it was told that it is a set. Returns RF_OK;
 * RF_RETRY: not yet. */
static enum rf_status become_primary(struct rf_mongo *mongo, uint16_t port, struct rf_error *err)
{
    bson_t *command = BCON_NEW("hello", BCON_INT32(1));
    char host[32];
    bson_t reply;
    bson_iter_t at;
    enum rf_status status = rf_mongo_run(mongo, "admin", command, &reply, err);
    bool member = status == RF_OK && bson_has_field(&reply, "setName");
    bool primary =
        member && bson_iter_init_find(&at, &reply, "isWritablePrimary") && bson_iter_as_bool(&at);

    bson_destroy(&reply);
    bson_destroy(command);
    if (status == RF_OK && !member) {
        snprintf(host, sizeof host, "127.0.0.1:%u", port);
        status = run(mongo, "admin",
                     BCON_NEW("replSetInitiate", "{", "_id", BCON_UTF8(set_name), "members", "[",
                              "{", "_id", BCON_INT32(0), "host", BCON_UTF8(host), "}", "]", "}"),
                     err);
        if (status != RF_OK && err->code != ALREADY_INITIALIZED) {
            return status;
        }
    }
    return status == RF_OK && primary
               ? RF_OK
               : rf_fail(err, RF_RETRY, "the replica set %s has no primary yet", set_name);
}

static enum rf_status make_root(struct rf_mongo *mongo, const struct rf_home *home,
                                struct rf_error *err)
{
    struct rf_buf secret = {0};
    enum rf_status status = rf_home_secret(home, user_name(USER_ROOT), &secret, err);

    if (status == RF_OK) {
        status = run(mongo, "admin",
                     BCON_NEW("createUser", BCON_UTF8(user_name(USER_ROOT)), "pwd",
                              BCON_UTF8(secret.data), "roles", "[", BCON_UTF8("root"), "]"),
                     err);
    }
    rf_buf_wipe(&secret);
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

/* May read and write the database `pluto`; and, for the one who keeps positions there, `rowferry`;
 * for the other, change collections of `pluto`. */
static enum rf_status make_user(struct rf_mongo *mongo, const struct rf_home *home, int user,
                                struct rf_error *err)
{
    struct rf_buf secret = {0};
    bool ferry = user == USER_FERRY;
    enum rf_status status = rf_home_secret(home, user_name(user), &secret, err);

    if (status == RF_OK) {
        status = run(mongo, "admin",
                     BCON_NEW("createUser", BCON_UTF8(user_name(user)), "pwd",
                              BCON_UTF8(secret.data), "roles", "[", "{", "role",
                              BCON_UTF8("readWrite"), "db", BCON_UTF8("pluto"), "}", "{", "role",
                              BCON_UTF8(ferry ? "readWrite" : "dbAdmin"), "db",
                              BCON_UTF8(ferry ? "rowferry" : "pluto"), "}", "]"),
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

static enum rf_status prepare(const struct rf_home *home, uint16_t port, struct rf_error *err)
{
    struct rf_mongo mongo = {0};
    bool real = is_mongod(home), empty = false, made;
    enum rf_status status = connect(&mongo, home, port, &empty, err);

    if (status == RF_OK && real) {
        status = become_primary(&mongo, port, err);
    }
    if (status == RF_OK && empty) {
        status = make_root(&mongo, home, err);
        rf_mongo_close(&mongo);
        if (status == RF_OK) {
            status = connect_as(&mongo, home, port, USER_ROOT, err);
        }
    }
    if (status == RF_OK && real) {
        status = make_users(&mongo, home, err);
    }
    if (status == RF_OK) {
        /* The pipeline makes its collections itself; this one is the scheduler's own. */
        status = rf_container_notes(&mongo, &made, err);
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
    .servers = {{.name = "mongo"}},
    .equip = equip,
    .describe = describe,
    .image = "mongo:7",
    .pack = pack,
    .has_users = is_mongod,
    .keeps_port = is_mongod, /* the set's configuration names it */
    .answers = answers,
    .prepare = prepare,
};
