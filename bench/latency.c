/* latency HOST PORT USER RATE COUNT COMMAND [ARGUMENT...]: how long it takes from a commit until
 * its row is read from a follower's output.
 *
 * The probe of bench/run, scenario S13. Starts COMMAND, which is to follow bench.latency from now
 * on and to write what it finds to standard output; waits until a row gets through; then inserts
 * COUNT rows, RATE a second, one a transaction, each with a text of its own. A second thread reads
 * the output and notes when each text arrives. Prints one line of JSON: quantiles in microseconds
 * of the time since the statement was sent, and since its commit was acknowledged, which may be
 * negative, as the server gives a row to its followers before it answers; and how many rows never
 * came. */
#include <errno.h>
#include <mysql.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    NS_PER_S = 1000000000,
    NS_PER_US = 1000,
    WARM_UP_LIMIT_S = 20,
    WARM_UP_NS = 20000000,
    LAST_LIMIT_MS = 5000,
    BUFFER_SIZE = 65536,
    DIGITS = 9,
    SQL_SIZE = 160,
};
static const char mark[] = "latency-";
enum { MARK_SIZE = sizeof mark - 1, TEXT_SIZE = MARK_SIZE + DIGITS };

extern char **environ;

struct probe {
    int output;       /* of the follower */
    uint32_t count;   /* rows that count, numbered from 1; 0 is the warm-up */
    int64_t *sent;    /* by number, ns */
    int64_t *acked;   /* by number, ns */
    int64_t *arrived; /* by number, ns; 0: not yet */
    atomic_uint seen; /* rows that arrived, and count */
    atomic_bool warm; /* a row of the warm-up arrived */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void wait_until_ns(int64_t when)
{
    struct timespec until = {.tv_sec = (time_t)(when / NS_PER_S),
                             .tv_nsec = (long)(when % NS_PER_S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

/* The number behind a mark; false: those are not digits. */
static bool number_at(const char *digits, uint32_t *number)
{
    *number = 0;
    for (int i = 0; i < DIGITS; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return false;
        }
        *number = *number * 10 + (uint32_t)(digits[i] - '0');
    }
    return true;
}

static void note(struct probe *probe, uint32_t number, int64_t when)
{
    if (number == 0) {
        atomic_store(&probe->warm, true);
    } else if (number <= probe->count && probe->arrived[number] == 0) {
        probe->arrived[number] = when;
        atomic_fetch_add(&probe->seen, 1);
    }
}

static void *read_output(void *argument)
{
    struct probe *probe = argument;
    static char buffer[BUFFER_SIZE];
    size_t held = 0;
    for (;;) {
        ssize_t got = read(probe->output, buffer + held, sizeof buffer - held);
        if (got <= 0) {
            return NULL;
        }
        int64_t when = now_ns();
        const char *at = buffer;
        const char *end = buffer + held + got;
        const char *found;
        while ((found = memmem(at, (size_t)(end - at), mark, MARK_SIZE)) != NULL &&
               end - found >= TEXT_SIZE) {
            uint32_t number;
            if (number_at(found + MARK_SIZE, &number)) {
                note(probe, number, when);
            }
            at = found + MARK_SIZE;
        }
        /* A text may be cut by the end of what was read. */
        size_t rest = (size_t)(end - at);
        held = rest < TEXT_SIZE - 1 ? rest : TEXT_SIZE - 1;
        if (found != NULL) {
            held = (size_t)(end - found);
        }
        memmove(buffer, end - held, held);
    }
}

static bool insert(MYSQL *mysql, uint32_t number)
{
    char sql[SQL_SIZE];
    int size = snprintf(sql, sizeof sql, "INSERT INTO bench.latency (note) VALUES ('%s%0*u')", mark,
                        DIGITS, number);
    return mysql_real_query(mysql, sql, (unsigned long)size) == 0;
}

static bool warm_up(MYSQL *mysql, struct probe *probe)
{
    int64_t limit = now_ns() + (int64_t)WARM_UP_LIMIT_S * NS_PER_S;
    while (!atomic_load(&probe->warm)) {
        if (now_ns() > limit) {
            fprintf(stderr, "latency: no row came through within %d s\n", WARM_UP_LIMIT_S);
            return false;
        }
        if (!insert(mysql, 0)) {
            return false;
        }
        wait_until_ns(now_ns() + WARM_UP_NS);
    }
    return true;
}

static bool measure(MYSQL *mysql, struct probe *probe, uint32_t rate)
{
    int64_t start = now_ns() + WARM_UP_NS;
    for (uint32_t number = 1; number <= probe->count; number++) {
        wait_until_ns(start + (int64_t)number * NS_PER_S / rate);
        probe->sent[number] = now_ns();
        if (!insert(mysql, number)) {
            return false;
        }
        probe->acked[number] = now_ns();
    }
    int64_t limit = now_ns() + (int64_t)LAST_LIMIT_MS * 1000 * NS_PER_US;
    while (atomic_load(&probe->seen) < probe->count && now_ns() < limit) {
        wait_until_ns(now_ns() + WARM_UP_NS);
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a;
    int64_t other = *(const int64_t *)b;
    return (one > other) - (one < other);
}

/* Prints the quantiles of the time from `since` to the arrival; returns how many rows came. */
static uint32_t quantiles(const struct probe *probe, const int64_t *since, const char *name)
{
    int64_t *times = calloc(probe->count + 1, sizeof *times);
    uint32_t seen = 0;
    if (times == NULL) {
        abort();
    }
    for (uint32_t i = 1; i <= probe->count; i++) {
        if (probe->arrived[i] != 0) {
            times[seen++] = probe->arrived[i] - since[i];
        }
    }
    qsort(times, seen, sizeof *times, compare);
    uint32_t last = seen > 0 ? seen - 1 : 0;
    printf("\"%s\": {\"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f}, ", name,
           (double)times[last / 2] / NS_PER_US,
           (double)times[(uint64_t)last * 99 / 100] / NS_PER_US, (double)times[last] / NS_PER_US);
    free(times);
    return seen;
}

static void report(const struct probe *probe)
{
    printf("{");
    quantiles(probe, probe->acked, "acked");
    uint32_t seen = quantiles(probe, probe->sent, "sent");
    printf("\"rows\": %u, \"lost\": %u}\n", probe->count, probe->count - seen);
}

/* Starts the follower with its output in a pipe; 0: it could not be started. */
static pid_t start(char **command, int *output)
{
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    if (pipe(ends) != 0) {
        return 0;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    int code = posix_spawnp(&pid, command[0], &actions, NULL, command, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *output = ends[0];
    if (code != 0) {
        fprintf(stderr, "latency: %s: %s\n", command[0], strerror(code));
        return 0;
    }
    return pid;
}

static uint32_t number_of(const char *text, uint32_t most)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    return *text == '\0' || *end != '\0' || number > most ? 0 : (uint32_t)number;
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "usage: latency HOST PORT USER RATE COUNT COMMAND [ARGUMENT...]\n");
        return 1;
    }
    uint32_t port = number_of(argv[2], 65535);
    uint32_t rate = number_of(argv[4], 100000);
    struct probe probe = {.count = number_of(argv[5], 999999)};
    if (port == 0 || rate == 0 || probe.count == 0) {
        fprintf(stderr, "latency: PORT, RATE and COUNT are numbers from 1\n");
        return 1;
    }
    probe.sent = calloc(probe.count + 1, sizeof *probe.sent);
    probe.acked = calloc(probe.count + 1, sizeof *probe.acked);
    probe.arrived = calloc(probe.count + 1, sizeof *probe.arrived);
    MYSQL *mysql = mysql_init(NULL);
    if (probe.sent == NULL || probe.acked == NULL || probe.arrived == NULL || mysql == NULL) {
        return 1;
    }
    if (mysql_real_connect(mysql, argv[1], argv[3], NULL, NULL, port, NULL, 0) == NULL) {
        fprintf(stderr, "latency: %s\n", mysql_error(mysql));
        return 1;
    }
    pid_t pid = start(argv + 6, &probe.output);
    pthread_t reader;
    if (pid == 0 || pthread_create(&reader, NULL, read_output, &probe) != 0) {
        return 1;
    }
    bool done = warm_up(mysql, &probe) && measure(mysql, &probe, rate);
    if (!done) {
        fprintf(stderr, "latency: it failed: %s\n", mysql_error(mysql));
    }
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    pthread_join(reader, NULL);
    if (done) {
        report(&probe);
    }
    mysql_close(mysql);
    free(probe.sent);
    free(probe.acked);
    free(probe.arrived);
    return done ? 0 : 1;
}
