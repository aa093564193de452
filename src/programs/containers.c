#include "programs/containers.h"

#include "base/exit.h"
#include "base/message.h"
#include "base/nearest.h"
#include "container/container.h"
#include "container/hold.h"
#include "programs/board.h"
#include "programs/verb.h"

#include <signal.h>
#include <stdio.h>

enum { CONTAINERS_MAX = RF_BOARD_ROWS_MAX };

/* Those that a call is about. */
struct selection {
    const struct rf_container_type *types[CONTAINERS_MAX];
    uint32_t count;
};

/* ---- Which ----------------------------------------------------------------------------------- */

static int refuse_name(const char *name)
{
    const char *names[CONTAINERS_MAX];
    struct rf_buf all = {0};
    uint32_t count = 0;

    for (size_t i = 0; rf_container_types[i] != NULL && count < CONTAINERS_MAX; i++) {
        rf_buf_printf(&all, "%s%s", i > 0 ? ", " : "", rf_container_types[i]->name);
        names[count++] = rf_container_types[i]->name;
    }
    const char *meant = rf_nearest(name, names, count);
    rf_message_error("there is no container '%s'%s%s%s", name, meant ? "; did you mean '" : "",
                     meant ? meant : "", meant ? "'?" : "");
    rf_message_hint("there are: %.*s", RF_STR_ARG(rf_buf_str(&all)));
    rf_buf_deinit(&all);
    return RF_EXIT_USAGE;
}

static bool is_selected(const struct selection *selection, const struct rf_container_type *type)
{
    for (uint32_t i = 0; i < selection->count; i++) {
        if (selection->types[i] == type) {
            return true;
        }
    }
    return false;
}

static int select_named(const struct rf_call *call, struct selection *out)
{
    for (uint32_t i = 0; i < call->word_count; i++) {
        const struct rf_container_type *type = rf_container_type_find(call->words[i]);
        if (type == NULL) {
            return refuse_name(call->words[i]);
        }
        if (!is_selected(out, type)) {
            out->types[out->count++] = type;
        }
    }
    return RF_EXIT_DONE;
}

static int select_containers(const struct rf_call *call, struct selection *out)
{
    const char *only = call->subject;

    if (only != NULL && call->word_count > 0) {
        rf_message_error("'%s' is too much: this program is for one container", call->words[0]);
        rf_message_hint("'container' is for all of them");
        return RF_EXIT_USAGE;
    }
    if (only != NULL) {
        out->types[out->count] = rf_container_type_find(only);
        if (out->types[out->count++] == NULL) {
            rf_message_error("this build has no container '%s': its library was missing", only);
            return RF_EXIT_CONFIG;
        }
        return RF_EXIT_DONE;
    }
    for (size_t i = 0; call->word_count == 0 && rf_container_types[i] != NULL; i++) {
        out->types[out->count++] = rf_container_types[i];
    }
    return select_named(call, out);
}

/* ---- create, delete, -init ------------------------------------------------------------------- */

struct create_options {
    const char *runtime;
    const char *server;
    const char *image;
    int64_t port;
    int64_t memory_bytes;
};

static const struct rf_option create_options[] = {
    {"runtime", RF_OPTION_TEXT, offsetof(struct create_options, runtime), NULL, NULL,
     "what runs it: docker, podman, or native, as a private process; without it, what ran it "
     "before, else an engine that answers, else native",
     false},
    {"server", RF_OPTION_TEXT, offsetof(struct create_options, server), NULL, NULL,
     "which server MySQL's is natively: mysql or mariadb; without it, what it was before, else "
     "this "
     "machine's MySQL, else MariaDB",
     false},
    {"image", RF_OPTION_TEXT, offsetof(struct create_options, image), NULL, NULL,
     "the image of an engine's container, in place of mysql:8.4, mongo:7, redis:7 or cassandra:5; "
     "for one container",
     false},
    {"port", RF_OPTION_INT, offsetof(struct create_options, port), NULL, "1..65535",
     "another port of 127.0.0.1 than its own; for one container", false},
    {"memory", RF_OPTION_SIZE, offsetof(struct create_options, memory_bytes), NULL, "16M..1T",
     "what it may use: MySQL's buffer pool, MongoDB's heap or cache, Redis' data, Cassandra's heap",
     false},
    RF_OPTION_END,
};

typedef enum rf_status task_function(struct rf_container_work *work, struct rf_error *err);

/* One container's share, on a thread of its own. */
struct task {
    struct rf_board *board;
    uint32_t row;
    task_function *function;
    struct rf_container_work work;
    enum rf_status status;
    struct rf_error err;
    pthread_t thread;
};

static void tell(void *argument, const char *what)
{
    struct task *task = argument;

    rf_board_say(task->board, task->row, what);
}

static void *carry_out(void *argument)
{
    struct task *task = argument;
    struct rf_container_work *work = &task->work;
    struct rf_buf text = {0};

    task->status = task->function(work, &task->err);
    if (task->status != RF_OK) {
        rf_buf_printf(&text, "failed");
    } else if (work->port == 0) {
        rf_buf_printf(&text, "%s", work->changed ? "deleted" : "there is none");
    } else {
        rf_buf_printf(&text, "%s on 127.0.0.1:%u, %.*s", work->changed ? "answers" : "runs already",
                      work->port, RF_STR_ARG(rf_buf_str(&work->which)));
    }
    rf_board_end(task->board, task->row, task->status == RF_OK, rf_buf_cstr(&text));
    rf_buf_deinit(&text);
    return NULL;
}

static int code_of(enum rf_status status)
{
    switch (status) {
    case RF_OK: return RF_EXIT_DONE;
    case RF_RETRY: return RF_EXIT_UNREACHABLE;
    case RF_FATAL: return RF_EXIT_LOSS;
    default: return RF_EXIT_CONFIG;
    }
}

/* Says what went wrong, one after the other; returns the first exit code that is not 0. */
static int conclude(struct task *tasks, uint32_t count)
{
    int code = RF_EXIT_DONE;

    for (uint32_t i = 0; i < count; i++) {
        struct task *task = &tasks[i];
        if (task->status != RF_OK) {
            rf_message_detail(rf_buf_str(&task->work.details));
            rf_error_wrap(&task->err, "%s", task->work.type->server);
            rf_message_failure(&task->err);
        }
        code = code != RF_EXIT_DONE ? code : code_of(task->status);
        rf_container_work_deinit(&task->work);
    }
    return code;
}

static int work_on(const struct selection *selection, task_function *function,
                   const struct rf_container_wishes *wishes)
{
    static struct task tasks[CONTAINERS_MAX];
    const char *names[CONTAINERS_MAX];
    struct rf_board board;

    for (uint32_t i = 0; i < selection->count; i++) {
        names[i] = selection->types[i]->server;
    }
    rf_board_begin(&board, names, selection->count);
    for (uint32_t i = 0; i < selection->count; i++) {
        struct task *task = &tasks[i];
        *task = (struct task){.board = &board, .row = i, .function = function};
        task->work = (struct rf_container_work){
            .type = selection->types[i], .wishes = *wishes, .progress = {tell, task}};
        if (selection->types[i]->choose == NULL) {
            task->work.wishes.server = NULL; /* it is for others */
        }
        rf_assert(pthread_create(&task->thread, NULL, carry_out, task) == 0);
    }
    rf_board_watch(&board);
    for (uint32_t i = 0; i < selection->count; i++) {
        pthread_join(tasks[i].thread, NULL);
    }
    return conclude(tasks, selection->count);
}

/* One that nobody knows would be noticed by each container alone, after others were made. */
static int check_server(const struct selection *selection, const char *name)
{
    struct rf_buf known = {0};

    for (uint32_t i = 0; name != NULL && i < selection->count; i++) {
        const struct rf_container_type *type = selection->types[i];
        if (type->choose == NULL) {
            continue;
        }
        if (rf_container_server_find(type, name) != NULL) {
            rf_buf_deinit(&known);
            return RF_EXIT_DONE;
        }
        for (size_t at = 0; type->servers[at].name != NULL; at++) {
            rf_buf_printf(&known, "%s--server %s", known.size > 0 ? ", " : "",
                          type->servers[at].name);
        }
    }
    if (name == NULL) {
        return RF_EXIT_DONE;
    }
    if (known.size > 0) {
        rf_message_error("there is no server '%s'", name);
        rf_message_hint("there are: %.*s", RF_STR_ARG(rf_buf_str(&known)));
    } else {
        rf_message_error("--server is for MySQL, where there are two to choose from");
    }
    rf_buf_deinit(&known);
    return RF_EXIT_USAGE;
}

static int make(const struct rf_call *call, task_function *function)
{
    const struct create_options *options = call->options;
    struct rf_container_wishes wishes = {.runtime = options->runtime,
                                         .port = (uint16_t)options->port,
                                         .memory_bytes = options->memory_bytes,
                                         .server = options->server,
                                         .image = options->image};
    const struct rf_container_runtime *runtime = NULL;
    struct selection selection = {0};
    struct rf_error err = {0};
    int code = select_containers(call, &selection);

    if (code == RF_EXIT_DONE && options->runtime != NULL &&
        rf_container_runtime_find(options->runtime, &runtime, &err) != RF_OK) {
        rf_message_failure(&err);
        return RF_EXIT_CONFIG;
    }
    if (code == RF_EXIT_DONE && wishes.port != 0 && selection.count > 1) {
        rf_message_error("--port is for one container, and these are %u", selection.count);
        rf_message_hint("name the one, as in: create --port %u %s", wishes.port,
                        selection.types[0]->name);
        return RF_EXIT_USAGE;
    }
    if (code == RF_EXIT_DONE && wishes.image != NULL && selection.count > 1) {
        rf_message_error("--image is for one container, and these are %u", selection.count);
        rf_message_hint("name the one, as in: create --image %s %s", wishes.image,
                        selection.types[0]->name);
        return RF_EXIT_USAGE;
    }
    if (code == RF_EXIT_DONE && wishes.server != NULL && options->runtime != NULL &&
        runtime != &rf_container_native) {
        rf_message_error("--server is for --runtime native, and this is %s", runtime->name);
        rf_message_hint("there --image decides which server it is");
        return RF_EXIT_USAGE;
    }
    if (code == RF_EXIT_DONE) {
        code = check_server(&selection, wishes.server);
    }
    return code == RF_EXIT_DONE ? work_on(&selection, function, &wishes) : code;
}

static int run_create(const struct rf_call *call)
{
    return make(call, rf_container_create);
}

RF_VERB(create, .name = "create", .usage = "[OPTION...]", .rank = 1,
        .summary = "make it and start it, ready for use",
        .help = "What is there and runs is left as it is; what was stopped or killed is started\n"
                "again with its data. Databases, tables and users that are missing are made.\n",
        .options = create_options, .state_size = sizeof(struct create_options),
        .words_max = CONTAINERS_MAX, .run = run_create);

/* Before anything is begun: to delete all of them but the one whose home is held would be worse
 * than either. */
static int check_hold(void)
{
    struct rf_error err = {0};

    if (rf_hold_check(&err) != RF_OK) {
        rf_message_failure(&err);
        return RF_EXIT_CONFIG;
    }
    return RF_EXIT_DONE;
}

static int run_delete(const struct rf_call *call)
{
    struct rf_container_wishes none = {0};
    struct selection selection = {0};
    int code = select_containers(call, &selection);

    if (code == RF_EXIT_DONE) {
        code = check_hold();
    }
    return code == RF_EXIT_DONE ? work_on(&selection, rf_container_delete, &none) : code;
}

RF_VERB(delete, .name = "delete", .usage = "", .rank = 2,
        .summary = "stop it and remove it with all its data",
        .help = "Only what one of these programs has made is ever removed.\n",
        .words_max = CONTAINERS_MAX, .run = run_delete);

static int run_init(const struct rf_call *call)
{
    int code = check_hold();

    return code == RF_EXIT_DONE ? make(call, rf_container_init) : code;
}

RF_VERB(init, .name = "-init", .usage = "[OPTION...]", .rank = 3,
        .summary = "delete what is there and create it afresh",
        .help = "Afterwards it answers, and has its databases, tables and users. All data that\n"
                "were in it are gone.\n",
        .options = create_options, .state_size = sizeof(struct create_options),
        .words_max = CONTAINERS_MAX, .run = run_init);

/* ---- status ---------------------------------------------------------------------------------- */

struct status_options {
    bool check;
};

static const struct rf_option status_options[] = {
    {"check", RF_OPTION_BOOL, offsetof(struct status_options, check), NULL, NULL,
     "end with 6 unless all of them answer", false},
    RF_OPTION_END,
};

static void print_look(const struct rf_container_type *type, const struct rf_container_look *look)
{
    const char *state = !look->there       ? "none"
                        : look->answers    ? "answers"
                        : look->state.runs ? "silent"
                                           : "stopped";
    char pid[32] = "-", memory[32] = "-";

    if (look->state.pid > 0) {
        snprintf(pid, sizeof pid, "%lld", (long long)look->state.pid);
    }
    if (look->state.memory_bytes > 0) {
        snprintf(memory, sizeof memory, "%lld MiB", (long long)look->state.memory_bytes >> 20);
    }
    struct rf_str what = rf_buf_str(look->state.runs ? &look->which : &look->home.path);
    printf("%-26s %5u  %-8s %8s %9s  %.*s\n", type->server,
           look->there ? look->home.settings.port : type->port, state, pid, memory,
           RF_STR_ARG(look->there ? what : RF_STR("-")));
}

static int run_status(const struct rf_call *call)
{
    const struct status_options *options = call->options;
    struct selection selection = {0};
    int code = select_containers(call, &selection);
    bool healthy = true;

    if (code != RF_EXIT_DONE) {
        return code;
    }
    printf("%-26s %5s  %-8s %8s %9s  %s\n", "CONTAINER", "PORT", "STATE", "PID", "MEMORY", "WHAT");
    for (uint32_t i = 0; i < selection.count; i++) {
        struct rf_container_look look = {0};
        struct rf_error err = {0};
        if (rf_container_look(selection.types[i], &look, &err) == RF_OK) {
            print_look(selection.types[i], &look);
        } else {
            fflush(stdout);
            rf_error_wrap(&err, "%s", selection.types[i]->server);
            rf_message_failure(&err);
            code = RF_EXIT_CONFIG;
        }
        healthy = healthy && look.answers;
        rf_container_look_deinit(&look);
    }
    fflush(stdout);
    return code == RF_EXIT_DONE && options->check && !healthy ? RF_EXIT_UNHEALTHY : code;
}

RF_VERB(status, .name = "status", .usage = "[--check]", .rank = 4,
        .summary = "how it is: whether it answers, which server it is, where its data lie",
        .options = status_options, .state_size = sizeof(struct status_options),
        .words_max = CONTAINERS_MAX, .run = run_status);

/* ---- logs ------------------------------------------------------------------------------------ */

struct logs_options {
    int64_t lines;
};

static const struct rf_option logs_options[] = {
    {"n", RF_OPTION_INT, offsetof(struct logs_options, lines), "20", "1..100000", "how many lines",
     false},
    RF_OPTION_END,
};

static int run_logs(const struct rf_call *call)
{
    const struct logs_options *options = call->options;
    struct selection selection = {0};
    int code = select_containers(call, &selection);

    if (code != RF_EXIT_DONE) {
        return code;
    }
    for (uint32_t i = 0; i < selection.count; i++) {
        struct rf_buf text = {0};
        struct rf_error err = {0};
        if (rf_container_logs(selection.types[i], (uint32_t)options->lines, &text, &err) != RF_OK) {
            rf_message_failure(&err);
            code = RF_EXIT_CONFIG;
        } else {
            if (selection.count > 1) {
                printf("%s==> %s\n", i > 0 ? "\n" : "", selection.types[i]->server);
            }
            printf("%.*s", RF_STR_ARG(rf_buf_str(&text)));
            fflush(stdout);
        }
        rf_buf_deinit(&text);
    }
    return code;
}

RF_VERB(logs, .name = "logs", .usage = "[-n N]", .rank = 5,
        .summary = "the last lines of what its server has logged", .options = logs_options,
        .state_size = sizeof(struct logs_options), .words_max = CONTAINERS_MAX, .run = run_logs);

/* ---- The programs ---------------------------------------------------------------------------- */

static void describe(const char *container, struct rf_buf *out)
{
    rf_buf_printf(out, "Private servers by name and port, on 127.0.0.1:\n\n");
    for (size_t i = 0; rf_container_types[i] != NULL; i++) {
        const struct rf_container_type *type = rf_container_types[i];
        if (container == NULL || strcmp(container, type->name) == 0) {
            rf_buf_printf(out, "  %-10s %-26s a server of %s on port %u\n", type->name,
                          type->server, type->title, type->port);
        }
    }
}

static const char *list_names(struct rf_buf *out)
{
    for (size_t i = 0; rf_container_types[i] != NULL; i++) {
        rf_buf_printf(out, "%s\n", rf_container_types[i]->name);
    }
    return rf_buf_cstr(out);
}

uint32_t rf_containers_complete(struct rf_buf *words, struct rf_buf *paths,
                                struct rf_completed *completed)
{
    struct rf_program program = {.name = "container", .words = list_names(words)};

    return rf_verbs_complete(&program, "container", paths, completed);
}

int rf_containers_main(const char *program, const char *container, int count,
                       char *const *arguments)
{
    struct rf_buf summary = {0}, names = {0};

    /* A reader that goes away is an error of the write, not the end of the process. So is a file
     * that grows beyond 'ulimit -f'. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    describe(container, &summary);
    struct rf_program described = {
        .name = program,
        .summary = rf_buf_cstr(&summary),
        .footer = container != NULL ? NULL
                                    : "Behind a command and its options may stand which ones are "
                                      "meant; else all are.\n",
        .words = container != NULL ? NULL : list_names(&names),
        .subject = container,
    };
    int code = rf_verbs_main(&described, count, arguments);
    rf_buf_deinit(&summary);
    rf_buf_deinit(&names);
    return code;
}
