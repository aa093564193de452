#include "programs/access.h"

#include "container/type.h"

#include <unistd.h>

bool rf_access_needs_user(const struct rf_home *home)
{
    const struct rf_container_type *type = rf_container_type_find(home->settings.type);

    return type != NULL && (type->has_users == NULL || type->has_users(home));
}

enum rf_status rf_access_find(struct rf_access *access, const char *container, const char *user,
                              struct rf_error *err)
{
    const struct rf_container_type *type = rf_container_type_find(container);

    if (type == NULL) {
        return rf_fail(err, RF_CONFIG, "this build has no container '%s'", container);
    }
    enum rf_status status = rf_home_find(&access->home, type->server, err);
    if (status == RF_AGAIN) {
        status = rf_fail(err, RF_RETRY, "there is no %s", type->server);
        rf_error_hint(err, "'container create %s' makes it", type->name);
        if (err != NULL) {
            err->connect = true;
        }
        return status;
    }
    access->port = access->home.settings.port;
    if (status == RF_OK && user != NULL && rf_access_needs_user(&access->home)) {
        access->user = user;
        status = rf_home_secret(&access->home, user, &access->password, err);
    }
    return status;
}

void rf_access_deinit(struct rf_access *access)
{
    rf_home_close(&access->home);
    rf_buf_wipe(&access->password);
    *access = (struct rf_access){0};
}

void rf_access_add_login(struct rf_buf *out, const struct rf_access *access, bool named)
{
    if (access->user != NULL) {
        if (named) {
            rf_buf_printf(out, "    user: %s\n", access->user);
        }
        rf_buf_printf(out, "    password_file: \"%s/secrets/%s\"\n", access->home.path.data,
                      access->user);
    }
}

/* What a person can do when nobody answers. */
static enum rf_status advise(enum rf_status status, const char *container, struct rf_error *err)
{
    if (status != RF_OK && err != NULL && err->connect && err->hint[0] == '\0') {
        rf_error_hint(err,
                      "'container status' shows what runs; 'container create %s' starts it "
                      "again with its data",
                      container);
    }
    return status;
}

enum rf_status rf_access_mysql(struct rf_mysql *mysql, int64_t timeout_ms, struct rf_error *err)
{
    struct rf_access access = {0};
    enum rf_status status = rf_access_find(&access, "mysql", "pluto", err);

    rf_mysql_close(mysql);
    if (status == RF_OK) {
        struct rf_mysql_address address = {.host = "127.0.0.1",
                                           .port = access.port,
                                           .user = access.user,
                                           .password = access.password.data,
                                           .tls = RF_MYSQL_TLS_OFF,
                                           .timeout_ms = timeout_ms};
        status = rf_mysql_connect(mysql, &address, err);
    }
    rf_access_deinit(&access);
    return advise(status, "mysql", err);
}

enum rf_status rf_access_mongo(struct rf_mongo *mongo, int64_t timeout_ms, struct rf_error *err)
{
    struct rf_access access = {0};
    enum rf_status status = rf_access_find(&access, "mongo", "pluto", err);

    rf_mongo_close(mongo);
    if (status == RF_OK) {
        struct rf_mongo_address address = {.host = "127.0.0.1",
                                           .port = access.port,
                                           .user = access.user,
                                           .password = access.password.data,
                                           .tls = {.mode = RF_TLS_OFF},
                                           .connect_timeout_ms = timeout_ms,
                                           .timeout_ms = timeout_ms};
        status = rf_mongo_connect(mongo, &address, err);
    }
    rf_access_deinit(&access);
    return advise(status, "mongo", err);
}

enum rf_status rf_access_redis(struct rf_redis *redis, int64_t timeout_ms, struct rf_error *err)
{
    struct rf_access access = {0};
    enum rf_status status = rf_access_find(&access, "redis", "default", err);

    rf_redis_close(redis);
    if (status == RF_OK) {
        struct rf_redis_address address = {.host = "127.0.0.1",
                                           .port = access.port,
                                           .password = access.password.data,
                                           .tls = {.mode = RF_TLS_OFF},
                                           .connect_timeout_ms = timeout_ms,
                                           .timeout_ms = timeout_ms};
        status = rf_redis_connect(redis, &address, err);
    }
    rf_access_deinit(&access);
    return advise(status, "redis", err);
}

enum rf_status rf_access_cassandra(struct rf_cql *cql, int64_t timeout_ms,
                                   const atomic_bool *interrupted, struct rf_error *err)
{
    struct rf_access access = {0};
    enum rf_status status = rf_access_find(&access, "cassandra", "pluto", err);

    rf_cql_close(cql);
    if (status == RF_OK) {
        struct rf_cql_address address = {.host = "127.0.0.1",
                                         .port = access.port,
                                         .user = access.user,
                                         .password = access.password.data,
                                         .tls = {.mode = RF_TLS_OFF},
                                         .connect_timeout_ms = timeout_ms,
                                         .timeout_ms = timeout_ms,
                                         .interrupted = interrupted};
        status = rf_cql_connect(cql, &address, err);
    }
    rf_access_deinit(&access);
    return advise(status, "cassandra", err);
}

bool rf_access_exists(const char *container)
{
    const struct rf_container_type *type = rf_container_type_find(container);
    struct rf_home home = {0};
    struct rf_error ignored = {0};
    bool there = type != NULL && rf_home_find(&home, type->server, &ignored) == RF_OK;

    rf_home_close(&home);
    return there;
}
