/* The container of MySQL's protocol: a server that logs rows, with the database `pluto`. Natively
 * it is the machine's own mysqld where that is MySQL's, else MariaDB, or what --server says.
 *
 * Its users: root; `rowferry`, who reads the log; `pluto`, the application's. Their passwords never
 * travel in an argument or in the server's own log: root's comes to it in a file that it reads at
 * its start, those of the others over root's connection, with the binary log off. */
#include "net/mysql.h"
#include "container/type.h"

#include <stdlib.h>
#include <unistd.h>

enum { OLDEST_MYSQL = 8, TIMEOUT_MS = 5000, USER_ROOT = 0, USER_FERRY = 1, USER_APPLICATION = 2 };

static const long long POOL_BYTES = 64 << 20;

extern const struct rf_container_type rf_container_mysql;

static const char *user_name(int user)
{
    return rf_container_mysql.users[user];
}

/* ---- Starting -------------------------------------------------------------------------------- */

/* Natively a MySQL, and no MariaDB. */
static bool is_mysql(const struct rf_home *home)
{
    return strcmp(home->settings.server, "mysql") == 0;
}

/* To the server, one statement on each line (what is not 127.0.0.1 or the socket cannot reach it
 * anyway); and to tools/servers, which asks it whether it answers. */
static enum rf_status give_password(const struct rf_home *home, struct rf_error *err)
{
    struct rf_buf secret = {0}, text = {0};
    enum rf_status status = rf_home_secret(home, user_name(USER_ROOT), &secret, err);

    if (status == RF_OK) {
        rf_buf_printf(&text,
                      "SET sql_log_bin = 0;\n"
                      "%s"
                      "ALTER USER root@localhost IDENTIFIED BY '%s';\n"
                      "ALTER USER root@'127.0.0.1' IDENTIFIED BY '%s';\n",
                      is_mysql(home) ? ""
                                     : "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host "
                                       "NOT IN ('localhost', '127.0.0.1');\n"
                                       "FLUSH PRIVILEGES;\n",
                      secret.data, secret.data);
        status = rf_home_give(home, "init.sql", rf_buf_str(&text), err);
    }
    if (status == RF_OK) {
        rf_buf_wipe(&text);
        rf_buf_printf(&text, "[client]\npassword = %s\n", secret.data);
        status = rf_home_keep(home, "client.cnf", rf_buf_str(&text), err);
    }
    rf_buf_wipe(&secret);
    rf_buf_wipe(&text);
    return status;
}

static enum rf_status equip(const struct rf_home *home, int64_t memory_bytes,
                            struct rf_words *options, struct rf_error *err)
{
    rf_words_add(options, "--init-file=%s/init.sql", home->path.data);
    rf_words_add(options, "--innodb-doublewrite=1"); /* a page that a crash tore is mended */
    rf_words_add(options, "--innodb-buffer-pool-size=%lld",
                 memory_bytes > 0 ? (long long)memory_bytes : POOL_BYTES);
    return give_password(home, err);
}

/* Whether the machine's mysqld is MySQL's own, and of a version that we can read: as tools/servers
 * looks at it. */
static bool has_real_mysql(void)
{
    struct rf_process_result result = {0};
    struct rf_words words = {0};
    struct rf_buf path = {0};
    bool real = false;

    if (rf_process_find("mysqld", &path)) {
        rf_words_add(&words, "%.*s", RF_STR_ARG(rf_buf_str(&path)));
        rf_words_add(&words, "--version");
        if (rf_process_run(&words, &result, NULL) == RF_OK && result.code == 0) {
            const char *said = rf_buf_cstr(&result.said);
            const char *number = strstr(said, "Ver ");
            real = strstr(said, "MariaDB") == NULL && number != NULL &&
                   strtoul(number + 4, NULL, 10) >= OLDEST_MYSQL;
        }
    }
    rf_process_result_deinit(&result);
    rf_words_deinit(&words);
    rf_buf_deinit(&path);
    return real;
}

static const char *choose(void)
{
    return has_real_mysql() ? "mysql" : "mariadb";
}

/* tools/servers writes down whose mysqld it is, where it is the machine's. */
static void describe(const struct rf_home *home, struct rf_str called, struct rf_buf *out)
{
    struct rf_str kind;
    struct rf_buf path = {0};
    bool fetched = is_mysql(home) && access(rf_home_file(home, "mysql.program", &path), F_OK) != 0;

    rf_str_split(&called, ' ', &kind);
    rf_buf_printf(out, "%s%s %.*s%s", fetched ? "" : "this machine's ",
                  is_mysql(home) ? "MySQL" : "MariaDB", RF_STR_ARG(called),
                  fetched ? ", fetched for this" : "");
    rf_buf_deinit(&path);
}

/* As the official images take them: options of the server as the command; at the first start, root
 * with the password in a file, for who comes from anywhere. There is no init file: an image's entry
 * script starts the server with this command already while it makes its users, so that what such a
 * file makes of them would be in its way. */
static enum rf_status pack(const struct rf_home *home, struct rf_pack *pack, struct rf_error *err)
{
    static const char *const options[] = {
        "--server-id=1",
        "--log-bin=binlog",
        "--binlog-format=ROW",
        "--binlog-row-image=FULL",
        "--binlog-row-metadata=FULL",
        "--gtid-mode=ON",
        "--enforce-gtid-consistency=ON",
        "--sync-binlog=1",
        "--skip-name-resolve",
    };
    struct rf_buf secret = {0};
    enum rf_status status = rf_home_secret(home, user_name(USER_ROOT), &secret, err);

    if (status == RF_OK) {
        for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
            rf_words_add(&pack->command, "%s", options[i]);
        }
        if (home->settings.memory_bytes > 0) {
            rf_words_add(&pack->command, "--innodb-buffer-pool-size=%lld",
                         (long long)home->settings.memory_bytes / 4);
        }
        rf_words_add(&pack->environment, "%s",
                     "MYSQL_ROOT_PASSWORD_FILE=" RF_PACK_DIRECTORY "/root");
        /* An engine gives whoever comes through a published port an address of its own. */
        rf_words_add(&pack->environment, "%s", "MYSQL_ROOT_HOST=%");
        rf_buf_add_str(rf_pack_file(pack, "root", 0644, 0), rf_buf_str(&secret));
    }
    rf_buf_wipe(&secret);
    return status;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static enum rf_status connect_as_root(struct rf_mysql *mysql, const struct rf_home *home,
                                      uint16_t port, struct rf_error *err)
{
    struct rf_buf secret = {0};
    enum rf_status status = rf_home_secret(home, user_name(USER_ROOT), &secret, err);

    if (status == RF_OK) {
        struct rf_mysql_address address = {.host = "127.0.0.1",
                                           .port = port,
                                           .user = user_name(USER_ROOT),
                                           .password = secret.data,
                                           .tls = RF_MYSQL_TLS_OFF,
                                           .timeout_ms = TIMEOUT_MS};
        status = rf_mysql_connect(mysql, &address, err);
    }
    rf_buf_wipe(&secret);
    return status;
}

/* The answer's first cell. Appends. */
static enum rf_status ask(struct rf_mysql *mysql, const char *statement, struct rf_buf *out,
                          struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    enum rf_status status = rf_mysql_query(mysql, statement, 0, &result, err);

    if (status == RF_OK && rf_mysql_result_next(&result)) {
        rf_buf_add_str(out, rf_mysql_result_cell(&result, 0));
    }
    rf_mysql_result_deinit(&result);
    return status;
}

static enum rf_status answers(const struct rf_home *home, uint16_t port, struct rf_error *err)
{
    struct rf_mysql mysql = {0};
    struct rf_buf directory = {0}, ours = {0};
    enum rf_status status = connect_as_root(&mysql, home, port, err);

    if (status == RF_OK) {
        status = ask(&mysql, "SELECT @@datadir", &directory, err);
    }
    rf_buf_printf(&ours, is_mysql(home) ? "%s/mysql/data/" : "%s/data/", home->path.data);
    if (status == RF_OK && rf_home_is_native(home) &&
        !rf_str_equal(rf_buf_str(&directory), rf_buf_str(&ours))) {
        status = rf_fail(err, RF_CONFIG, "another server answers on port %u, one of %.*s", port,
                         RF_STR_ARG(rf_buf_str(&directory)));
    }
    rf_buf_deinit(&directory);
    rf_buf_deinit(&ours);
    rf_mysql_close(&mysql);
    return status;
}

/* ---- Preparing ------------------------------------------------------------------------------- */

/* Only what is missing, so that its making is in the log once and not at every look. */
static enum rf_status make_where_missing(struct rf_mysql *mysql, const char *question,
                                         const char *statement, struct rf_error *err)
{
    struct rf_buf count = {0};
    enum rf_status status = ask(mysql, question, &count, err);

    if (status == RF_OK && rf_str_equal(rf_buf_str(&count), RF_STR("0"))) {
        status = rf_mysql_query(mysql, statement, 0, NULL, err);
    }
    rf_buf_deinit(&count);
    return status;
}

static enum rf_status make_tables(struct rf_mysql *mysql, struct rf_error *err)
{
    enum rf_status status = make_where_missing(
        mysql, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'pluto'",
        "CREATE DATABASE IF NOT EXISTS pluto CHARACTER SET utf8mb4", err);

    if (status == RF_OK) {
        /* The key on stamp is for those who ask for the last rows. */
        status = make_where_missing(mysql,
                                    "SELECT COUNT(*) FROM information_schema.tables WHERE "
                                    "table_schema = 'pluto' AND table_name = 'posts'",
                                    "CREATE TABLE IF NOT EXISTS pluto.posts (id VARCHAR(36) NOT "
                                    "NULL PRIMARY KEY, stamp VARCHAR(20) NOT NULL, KEY stamp "
                                    "(stamp))",
                                    err);
    }
    return status;
}

/* From where the users come, as the server sees it. An engine gives whoever comes through a
 * published port an address of its own. */
static const char *origin_of(const struct rf_home *home)
{
    return rf_home_is_native(home) ? "127.0.0.1" : "%";
}

static enum rf_status make_user(struct rf_mysql *mysql, const struct rf_home *home, int user,
                                const char *const *grants, struct rf_error *err)
{
    struct rf_buf secret = {0}, text = {0};
    const char *name = user_name(user), *from = origin_of(home);
    enum rf_status status = rf_home_secret(home, name, &secret, err);

    if (status == RF_OK) {
        rf_buf_printf(&text, "CREATE USER '%s'@'%s' IDENTIFIED BY '%s'", name, from, secret.data);
        status = rf_mysql_execute(mysql, rf_buf_cstr(&text), "making a user", err);
    }
    for (; status == RF_OK && *grants != NULL; grants++) {
        rf_buf_wipe(&text);
        rf_buf_printf(&text, "GRANT %s TO '%s'@'%s'", *grants, name, from);
        status = rf_mysql_query(mysql, rf_buf_cstr(&text), 0, NULL, err);
    }
    rf_buf_wipe(&secret);
    rf_buf_wipe(&text);
    return status;
}

/* Where it cannot be told the making of it will say what is wrong. */
static bool has_user(struct rf_mysql *mysql, const struct rf_home *home, int user)
{
    struct rf_buf question = {0}, count = {0};
    struct rf_error ignored = {0};

    rf_buf_printf(&question, "SELECT COUNT(*) FROM mysql.user WHERE User = '%s' AND Host = '%s'",
                  user_name(user), origin_of(home));
    bool there = ask(mysql, rf_buf_cstr(&question), &count, &ignored) == RF_OK &&
                 rf_str_equal(rf_buf_str(&count), RF_STR("1"));
    rf_buf_deinit(&question);
    rf_buf_deinit(&count);
    return there;
}

static enum rf_status make_users(struct rf_mysql *mysql, const struct rf_home *home,
                                 struct rf_error *err)
{
    static const char *const ferry[] = {"REPLICATION SLAVE, REPLICATION CLIENT ON *.*",
                                        "SELECT ON pluto.*", NULL};
    static const char *const application[] = {"ALL ON pluto.*", NULL};
    enum rf_status status = rf_mysql_query(mysql, "SET sql_log_bin = 0", 0, NULL, err);

    if (status == RF_OK && !has_user(mysql, home, USER_FERRY)) {
        status = make_user(mysql, home, USER_FERRY, ferry, err);
    }
    if (status == RF_OK && !has_user(mysql, home, USER_APPLICATION)) {
        status = make_user(mysql, home, USER_APPLICATION, application, err);
    }
    return status;
}

static enum rf_status prepare(const struct rf_home *home, uint16_t port, struct rf_error *err)
{
    struct rf_mysql mysql = {0};
    enum rf_status status = connect_as_root(&mysql, home, port, err);

    if (status == RF_OK) {
        status = make_tables(&mysql, err);
    }
    if (status == RF_OK) {
        status = make_users(&mysql, home, err);
    }
    rf_mysql_close(&mysql);
    return status;
}

const struct rf_container_type rf_container_mysql = {
    .name = "mysql",
    .title = "MySQL",
    .server = "final_mysql_container",
    .port = 5600,
    .users = {[USER_ROOT] = "root", [USER_FERRY] = "rowferry", [USER_APPLICATION] = "pluto"},
    .servers = {{"mariadb", {"--durable"}}, {"mysql", {"--installed", "--durable"}}},
    .choose = choose,
    .equip = equip,
    .describe = describe,
    .image = "mysql:8.4",
    .inside = 3306,
    .pack = pack,
    .answers = answers,
    .prepare = prepare,
};
