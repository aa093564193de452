#include "lib/server.h"

#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <rowferry/str.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 32, PORT_TAKEN = 98, TRIES = 20 };

extern char **environ;

static const char *source_dir(void)
{
    const char *dir = getenv("ROWFERRY_SOURCE_DIR");
    if (dir == NULL) {
        fputs("ROWFERRY_SOURCE_DIR must name the source tree, as ctest sets it\n", stderr);
        abort();
    }
    return dir;
}

/* Runs tools/servers with these words; its first line goes to out when that is not NULL. Returns
 * its exit code. */
static int servers(const char *const *words, size_t count, char *out, size_t size)
{
    char program[512], said[4096];
    const char *argv[WORDS_MAX + 2] = {program};
    int pipes[2], result = 0;
    snprintf(program, sizeof program, "%s/tools/servers", source_dir());
    rf_assert(count <= WORDS_MAX && pipe2(pipes, O_CLOEXEC) == 0);
    memcpy(argv + 1, words, count * sizeof *words);
    pid_t pid = fork();
    rf_assert(pid >= 0);
    if (pid == 0) {
        if (dup2(pipes[1], 1) == 1) {
            execve(program, (char *const *)(uintptr_t)argv, environ);
        }
        _exit(127);
    }
    close(pipes[1]);
    size_t filled = 0;
    for (ssize_t got; (got = read(pipes[0], said + filled, sizeof said - 1 - filled)) > 0;) {
        filled += (size_t)got;
    }
    close(pipes[0]);
    said[filled] = '\0';
    rf_assert(waitpid(pid, &result, 0) == pid && WIFEXITED(result));
    if (out != NULL) {
        said[strcspn(said, "\n")] = '\0';
        rf_assert(strlen(said) < size);
        snprintf(out, size, "%s", said);
    }
    return WEXITSTATUS(result);
}

/* Ends the server should this process not come to it. */
static void guard(const struct rf_test_server *server)
{
    char program[512], pid[16], path[512];
    snprintf(program, sizeof program, "%s/test/lib/guard", source_dir());
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    snprintf(path, sizeof path, "%s/guarded", server->dir);
    FILE *file = fopen(path, "we");
    rf_assert(file != NULL);
    fprintf(file, "%s\n", server->dir);
    rf_assert(fclose(file) == 0);
    pid_t child = fork();
    rf_assert(child >= 0);
    if (child == 0) {
        /* A grandchild, so that nobody has to wait for it. */
        if (fork() == 0) {
            int null = open("/dev/null", O_RDWR);
            dup2(null, 0);
            dup2(null, 1);
            dup2(null, 2);
            setsid();
            execl(program, program, pid, server->dir, (char *)NULL);
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

void rf_test_server_start(struct rf_test_server *server, const char *kind,
                          const char *const *options)
{
    const char *words[WORDS_MAX] = {"dir"};
    int result = PORT_TAKEN;
    rf_assert(servers(words, 1, server->dir, sizeof server->dir) == 0);
    guard(server);
    for (int i = 0; i < TRIES && result == PORT_TAKEN; i++) {
        const char *port[] = {"port"};
        rf_assert(servers(port, 1, server->port, sizeof server->port) == 0);
        const char *start[] = {"start", kind, server->dir, server->port, "--"};
        size_t count = sizeof start / sizeof *start;
        memcpy(words, start, sizeof start);
        for (const char *const *option = options; option && *option; option++) {
            rf_assert(count < WORDS_MAX);
            words[count++] = *option;
        }
        result = servers(words, count, NULL, 0);
    }
    rf_assert(result == 0);
}

void rf_test_server_act(const struct rf_test_server *server, const char *kind, const char *action)
{
    const char *words[] = {action, kind, server->dir};
    rf_assert(servers(words, 3, NULL, 0) == 0);
}

void rf_test_server_destroy(struct rf_test_server *server, const char *kind)
{
    if (server->dir[0] == '\0') {
        return;
    }
    rf_test_server_act(server, kind, "kill");
    pid_t pid = fork();
    rf_assert(pid >= 0);
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", server->dir, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    server->dir[0] = '\0';
}

/* The letter of the thread's state, behind its name in brackets; 0: it is gone. */
static char thread_state(const char *path)
{
    char text[512] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return '\0';
    }
    (void)!fgets(text, sizeof text, file);
    fclose(file);
    const char *behind = strrchr(text, ')');
    return behind != NULL && behind[1] == ' ' ? behind[2] : '\0';
}

/* A signal stops a process of many threads one by one. */
static bool all_stopped(long pid)
{
    char path[300];
    bool stopped = true;
    snprintf(path, sizeof path, "/proc/%ld/task", pid);
    DIR *tasks = opendir(path);
    rf_assert(tasks != NULL);
    for (const struct dirent *task; stopped && (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] != '.') {
            snprintf(path, sizeof path, "/proc/%ld/task/%.20s/stat", pid, task->d_name);
            char state = thread_state(path);
            stopped = state == 'T' || state == '\0';
        }
    }
    closedir(tasks);
    return stopped;
}

void rf_test_server_freeze(const struct rf_test_server *server, const char *kind, bool frozen)
{
    char path[512];
    long pid = 0;
    snprintf(path, sizeof path, "%s/%s.pid", server->dir, kind);
    FILE *file = fopen(path, "re");
    rf_assert(file != NULL && fscanf(file, "%ld", &pid) == 1 && pid > 1);
    fclose(file);
    rf_assert(kill((pid_t)pid, frozen ? SIGSTOP : SIGCONT) == 0);
    for (int64_t limit_ms = rf_clock_ms() + 10000; frozen && !all_stopped(pid); poll(NULL, 0, 1)) {
        rf_assert(rf_clock_ms() < limit_ms);
    }
}
