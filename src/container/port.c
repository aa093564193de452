#include "container/port.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INODES_MAX = 16, LISTENING = 0x0A };

/* ---- Who has it ------------------------------------------------------------------------------ */

/* The sockets that listen on the port, by inode, from one of the tables of proc(5). Returns how
 * many there are by now. */
static uint32_t find_sockets(const char *table, uint16_t port, uint64_t inodes[INODES_MAX],
                             uint32_t count)
{
    FILE *file = fopen(table, "re");
    char line[512];

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        unsigned local_port, state;
        uint64_t inode;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*d %*d %" SCNu64,
                   &local_port, &state, &inode) == 3 &&
            state == LISTENING && local_port == port && inode != 0 && count < INODES_MAX) {
            inodes[count++] = inode;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return count;
}

static bool has_socket(const char *pid, const uint64_t *inodes, uint32_t count)
{
    char path[64], link[sizeof path + 256], target[64];
    bool found = false;
    struct dirent *entry;

    snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
    DIR *files = opendir(path);
    while (!found && files != NULL && (entry = readdir(files)) != NULL) {
        uint64_t inode;
        snprintf(link, sizeof link, "%s/%s", path, entry->d_name);
        ssize_t size = readlink(link, target, sizeof target - 1);
        if (size > 0) {
            target[size] = '\0';
            if (sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1) {
                for (uint32_t i = 0; i < count; i++) {
                    found = found || inodes[i] == inode;
                }
            }
        }
    }
    if (files != NULL) {
        closedir(files);
    }
    return found;
}

static void add_process(const char *pid, struct rf_buf *out)
{
    char path[64], name[64] = "?";

    snprintf(path, sizeof path, "/proc/%.16s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fgets(name, sizeof name, file) != NULL) {
            name[strcspn(name, "\n")] = '\0';
        }
        fclose(file);
    }
    rf_buf_printf(out, "%s (pid %s)", name, pid);
}

bool rf_port_holder(uint16_t port, struct rf_buf *out)
{
    uint64_t inodes[INODES_MAX];
    uint32_t count = find_sockets("/proc/net/tcp", port, inodes, 0);
    bool found = false;
    struct dirent *entry;

    count = find_sockets("/proc/net/tcp6", port, inodes, count);
    DIR *processes = count > 0 ? opendir("/proc") : NULL;
    while (!found && processes != NULL && (entry = readdir(processes)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) && has_socket(entry->d_name, inodes, count)) {
            add_process(entry->d_name, out);
            found = true;
        }
    }
    if (processes != NULL) {
        closedir(processes);
    }
    return found;
}

enum rf_status rf_port_taken(uint16_t port, struct rf_error *err)
{
    struct rf_buf holder = {0};
    bool known = rf_port_holder(port, &holder);

    rf_fail(err, RF_CONFIG, "port %u is taken by %.*s", port,
            RF_STR_ARG(known ? rf_buf_str(&holder) : RF_STR("another user's program")));
    rf_error_hint(err, "end that program, or take another port: --port N");
    if (err != NULL) {
        err->code = EADDRINUSE;
    }
    rf_buf_deinit(&holder);
    return RF_CONFIG;
}

/* ---- Whether we could have it ---------------------------------------------------------------- */

/* Ports below this one need a right that root has; proc(5) has it since Linux 4.11. */
static unsigned first_free_port(void)
{
    unsigned port = 1024;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");

    if (file != NULL) {
        if (fscanf(file, "%u", &port) != 1) {
            port = 1024;
        }
        fclose(file);
    }
    return port;
}

static enum rf_status fail_no_right(uint16_t port, struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "port %u is for root alone on this machine", port);
    rf_error_hint(err,
                  "run this as root, take a port of %u or above (--port N), or as root let all "
                  "have it: sysctl net.ipv4.ip_unprivileged_port_start=%u",
                  first_free_port(), port);
    return RF_CONFIG;
}

enum rf_status rf_port_check(uint16_t port, enum rf_port_user user, struct rf_error *err)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;

    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return rf_fail(err, RF_CONFIG, "could not look at port %u: %s", port, strerror(errno));
    }
    /* As servers do: connections that have ended do not count. */
    setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int bound = bind(probe, (struct sockaddr *)&address, sizeof address);
    int problem = errno;
    close(probe);
    if (bound == 0) {
        return RF_OK;
    }
    if (problem == EADDRINUSE) {
        return rf_port_taken(port, err);
    }
    if (problem == EACCES) {
        return user == RF_PORT_OURS ? fail_no_right(port, err) : RF_OK;
    }
    return rf_fail(err, RF_CONFIG, "port %u of 127.0.0.1 cannot be had: %s", port,
                   strerror(problem));
}
