/* The transform `tables`: which tables a sink gets.
 *
 * Patterns look, and mean together, what they do for a source (event/pattern.h), and statements
 * follow the source's rules too: a TRUNCATE goes where its table goes, other DDL where some table
 * of its database may be picked.
 *
 * A source learns from its server whether the case of letters counts; a transform is told nothing.
 * So names are compared byte by byte, and when case is all that decides, nothing is guessed. */
#include "base/memory.h"
#include "event/name.h"
#include "event/pattern.h"

#include <rowferry/transform.h>
#include <stdlib.h>

enum { SEEN = 1024 }; /* a power of two */

/* What was decided about a table. The reference keeps its address from becoming another's. */
struct seen {
    struct rf_table *table;
    bool picked;
};

struct tables {
    struct rf_list list; /* option */

    struct rf_arena memory;
    struct rf_pattern *patterns;
    struct rf_pattern *folded; /* the same in lower case */
    uint32_t count;
    struct seen *seen; /* by address; a new one takes the old one's place */
    struct rf_buf name, lower;
};

static enum rf_status tables_open(void *state, struct rf_error *err)
{
    struct tables *tables = state;
    uint32_t count = tables->list.count;
    tables->seen = rf_alloc_zero(SEEN, sizeof *tables->seen);
    tables->patterns = rf_arena_alloc(&tables->memory, count * sizeof *tables->patterns);
    tables->folded = rf_arena_alloc(&tables->memory, count * sizeof *tables->folded);
    for (uint32_t i = 0; i < count; i++) {
        enum rf_status status = rf_pattern_read(rf_str_of(tables->list.items[i]), &tables->memory,
                                                &tables->patterns[i], err);
        if (status != RF_OK) {
            return status;
        }
        tables->folded[i] = rf_pattern_fold(tables->patterns[i], &tables->memory);
    }
    tables->count = count;
    return RF_OK;
}

static struct rf_str in_lower_case(struct tables *tables, struct rf_str name)
{
    char *out = rf_buf_reserve(&tables->lower, name.size + 1);
    rf_name_fold(out, name);
    return (struct rf_str){out, name.size};
}

/* A pattern without * and ? that is exactly this name settles what case would leave open. */
static bool is_named(const struct tables *tables, struct rf_str full_name)
{
    for (uint32_t i = 0; i < tables->count; i++) {
        struct rf_str full = tables->patterns[i].full;
        if (rf_str_equal(full, full_name) && memchr(full.data, '*', full.size) == NULL) {
            return true;
        }
    }
    return false;
}

static enum rf_status judge(struct tables *tables, struct rf_str full_name, bool *picked,
                            struct rf_error *err)
{
    *picked = rf_pattern_picks_table(tables->patterns, tables->count, full_name);
    bool folded =
        rf_pattern_picks_table(tables->folded, tables->count, in_lower_case(tables, full_name));
    if (folded == *picked || is_named(tables, full_name)) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "tables: the case of letters alone decides whether this sink gets %.*s",
            RF_STR_ARG(full_name));
    rf_error_hint(err,
                  "write the pattern as the server writes the name; if another table is meant, "
                  "add \"%s%.*s\" as well",
                  *picked ? "" : "-", RF_STR_ARG(full_name));
    return RF_CONFIG;
}

static enum rf_status judge_table(struct tables *tables, const struct rf_table *table, bool *picked,
                                  struct rf_error *err)
{
    struct seen *seen = &tables->seen[((uintptr_t)table >> 4) % SEEN];
    if (seen->table == table) {
        *picked = seen->picked;
        return RF_OK;
    }
    enum rf_status status = judge(tables, table->full_name, picked, err);
    if (status == RF_OK) {
        rf_table_release(seen->table);
        /* The batch holds the table by a reference; taking another one changes nothing that is
         * shown. */
        *seen = (struct seen){rf_table_retain((struct rf_table *)table), *picked};
    }
    return status;
}

/* In doubt it is handed over, as the sources do. */
static bool picks_ddl(struct tables *tables, struct rf_str database)
{
    if (database.size == 0) {
        return rf_pattern_picks_table(tables->patterns, tables->count, RF_STR_NONE);
    }
    return rf_pattern_picks_database(tables->patterns, tables->count, database) ||
           rf_pattern_picks_database(tables->folded, tables->count,
                                     in_lower_case(tables, database));
}

/* The table that the event is about, which has no description here. */
static enum rf_status judge_object(struct tables *tables, const struct rf_event *event,
                                   bool *picked, struct rf_error *err)
{
    rf_buf_set(&tables->name, event->database);
    rf_buf_add_byte(&tables->name, '.');
    rf_buf_add_str(&tables->name, event->object);
    return judge(tables, rf_buf_str(&tables->name), picked, err);
}

static enum rf_status tables_apply(void *state, struct rf_event *event, bool *drop,
                                   struct rf_arena *arena, struct rf_error *err)
{
    struct tables *tables = state;
    enum rf_status status = RF_OK;
    bool picked = false;
    (void)arena;
    if (event->table != NULL) {
        status = judge_table(tables, event->table, &picked, err);
    } else if (event->op == RF_TRUNCATE) {
        status = judge_object(tables, event, &picked, err);
    } else if (event->change != NULL && event->object.size > 0) {
        /* A drop or rename of a collection; by either of its names. */
        status = judge_object(tables, event, &picked, err);
        if (status == RF_OK && !picked && event->change->to.size > 0) {
            status = judge(tables, event->change->to, &picked, err);
        }
    } else {
        picked = picks_ddl(tables, event->database);
    }
    *drop = status == RF_OK && !picked;
    return status;
}

static void tables_close(void *state)
{
    struct tables *tables = state;
    for (size_t i = 0; tables->seen != NULL && i < SEEN; i++) {
        rf_table_release(tables->seen[i].table);
    }
    free(tables->seen);
    rf_arena_deinit(&tables->memory);
    rf_buf_deinit(&tables->name);
    rf_buf_deinit(&tables->lower);
}

static const struct rf_option tables_options[] = {
    {"tables", RF_OPTION_LIST, offsetof(struct tables, list), NULL, NULL,
     "the tables that this sink gets: shop.*,-shop.audit_*; all unless set", false},
    RF_OPTION_END,
};

const struct rf_transform_type rf_transform_tables = {
    .name = "tables",
    .summary = "which tables a sink gets",
    .state_size = sizeof(struct tables),
    .options = tables_options,
    .open = tables_open,
    .apply = tables_apply,
    .close = tables_close,
};
