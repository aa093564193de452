#include "base/process.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void rf_words_add(struct rf_words *words, const char *format, ...)
{
    struct rf_buf text = {0};
    va_list args;

    if (words->count + 2 > words->capacity) {
        words->capacity = words->capacity * 2 + 8;
        words->items = rf_realloc(words->items, words->capacity * sizeof *words->items);
    }
    va_start(args, format);
    rf_buf_vprintf(&text, format, args);
    va_end(args);
    words->items[words->count++] = rf_str_dup(rf_buf_str(&text));
    words->items[words->count] = NULL;
    rf_buf_deinit(&text);
}

void rf_words_deinit(struct rf_words *words)
{
    for (uint32_t i = 0; i < words->count; i++) {
        free(words->items[i]);
    }
    free(words->items);
    *words = (struct rf_words){0};
}

void rf_process_result_deinit(struct rf_process_result *result)
{
    rf_buf_deinit(&result->said);
    rf_buf_deinit(&result->complained);
    *result = (struct rf_process_result){0};
}

static int code_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What we ignore or block is our business, not theirs. */
static void forget_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, usual;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGXFSZ);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &usual);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static enum rf_status spawn(const struct rf_words *words, int out, int complaints, pid_t *pid,
                            struct rf_error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    forget_signals(&attributes);
    int failed = posix_spawn(pid, words->items[0], &actions, &attributes, words->items, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed == 0 ? RF_OK
                       : rf_fail(err, RF_CONFIG, "could not start %s: %s", words->items[0],
                                 strerror(failed));
}

/* False: the pipe has ended. */
static bool take(int fd, struct rf_buf *out)
{
    char *at = rf_buf_reserve(out, 4096);
    ssize_t size = read(fd, at, 4096);

    if (size < 0) {
        return errno == EINTR || errno == EAGAIN;
    }
    out->size += (size_t)size;
    return size > 0;
}

static void listen_to(int out, int complaints, struct rf_process_result *result)
{
    struct pollfd ends[] = {{out, POLLIN, 0}, {complaints, POLLIN, 0}};

    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
        if (poll(ends, 2, -1) < 0 && errno != EINTR) {
            return;
        }
        if (ends[0].revents != 0 && !take(ends[0].fd, &result->said)) {
            ends[0].fd = -1;
        }
        if (ends[1].revents != 0 && !take(ends[1].fd, &result->complained)) {
            ends[1].fd = -1;
        }
    }
}

static void close_pipe(int ends[2])
{
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0) {
            close(ends[i]);
        }
        ends[i] = -1;
    }
}

enum rf_status rf_process_run(const struct rf_words *words, struct rf_process_result *result,
                              struct rf_error *err)
{
    int out[2] = {-1, -1}, complaints[2] = {-1, -1}, state = 0;
    enum rf_status status;
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(complaints, O_CLOEXEC) != 0) {
        status =
            rf_fail(err, RF_CONFIG, "could not start %s: %s", words->items[0], strerror(errno));
        goto done;
    }
    status = spawn(words, out[1], complaints[1], &pid, err);
    if (status != RF_OK) {
        goto done;
    }
    close(out[1]);
    close(complaints[1]);
    out[1] = complaints[1] = -1;
    listen_to(out[0], complaints[0], result);
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR) {
    }
    result->code = code_of(state);

done:
    close_pipe(out);
    close_pipe(complaints);
    return status;
}

/* In the child, where only what is safe in a signal handler may be called. */
static void become(const struct rf_words *words, int in, int out, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    /* It may have died before that, and then nobody is told. */
    if (getppid() != parent || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0) {
        _exit(127);
    }
    execv(words->items[0], words->items);
    _exit(127);
}

enum rf_status rf_process_start(const struct rf_words *words, const char *log, pid_t *pid,
                                struct rf_error *err)
{
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum rf_status status = RF_OK;

    if (in < 0 || out < 0) {
        status = rf_fail(err, RF_CONFIG, "could not open %s: %s", out < 0 ? log : "/dev/null",
                         strerror(errno));
        goto done;
    }
    if (access(words->items[0], X_OK) != 0) {
        status =
            rf_fail(err, RF_CONFIG, "could not start %s: %s", words->items[0], strerror(errno));
        goto done;
    }
    pid_t parent = getpid();
    *pid = fork();
    if (*pid == 0) {
        become(words, in, out, parent);
    } else if (*pid < 0) {
        status =
            rf_fail(err, RF_CONFIG, "could not start %s: %s", words->items[0], strerror(errno));
    } else {
        setpgid(*pid, *pid); /* here too, so that it is done when we return */
    }

done:
    if (in >= 0) {
        close(in);
    }
    if (out >= 0) {
        close(out);
    }
    return status;
}

enum rf_status rf_process_directory(struct rf_buf *out, struct rf_error *err)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);

    if (size <= 0) {
        return rf_fail(err, RF_CONFIG, "could not find out where this program lies: %s",
                       strerror(errno));
    }
    path[size] = '\0';
    *strrchr(path, '/') = '\0';
    rf_buf_printf(out, "%s", path);
    return RF_OK;
}

bool rf_process_find(const char *name, struct rf_buf *out)
{
    const char *path = getenv("PATH");
    struct rf_buf places = {0}, candidate = {0};
    struct rf_str rest, place;
    bool found = false;

    rf_buf_printf(&places, "%s:/usr/sbin:/sbin", path != NULL ? path : "/usr/bin:/bin");
    rest = rf_buf_str(&places);
    while (!found && rf_str_split(&rest, ':', &place)) {
        rf_buf_reset(&candidate);
        rf_buf_printf(&candidate, "%.*s/%s", RF_STR_ARG(place), name);
        found = place.size > 0 && access(rf_buf_cstr(&candidate), X_OK) == 0;
    }
    if (found) {
        rf_buf_add_str(out, rf_buf_str(&candidate));
    }
    rf_buf_deinit(&places);
    rf_buf_deinit(&candidate);
    return found;
}
