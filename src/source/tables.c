#include "source/tables.h"

#include "base/load.h"
#include "base/memory.h"
#include "source/changes.h"

#include <rowferry/log.h>
#include <stdlib.h>

enum {
    ID_SIZE = 6,
    FIRST_CAPACITY = 64,
    KEPT_CAPACITY = 16 * 1024,
    KEPT_NAMES = 16 * 1024,
};

struct rf_table_name {
    struct rf_table_name *next;
    uint64_t hash;
    struct rf_buf full_name;
    size_t database_size; /* of the full name's first part */
    bool picked;
    bool defined; /* its table was completed with a definition */
    bool typed;   /* ... for its types only */
    bool changed; /* ... which a statement has voided */
    bool said;    /* that its types are not known */
    uint32_t version;
    struct rf_table *table; /* the newest version, one reference; NULL: none yet */
    struct rf_buf bytes;    /* of its TABLE_MAP, behind the id; not picked: up to the names' end */
};

static uint64_t hash_bytes(struct rf_str bytes, uint64_t hash)
{
    for (size_t i = 0; i < bytes.size; i++) {
        hash = (hash ^ (unsigned char)bytes.data[i]) * 0x100000001b3;
    }
    return hash;
}

static uint32_t place_of(uint64_t id, uint32_t capacity)
{
    return (uint32_t)((id * 0x9e3779b97f4a7c15) >> 32) & (capacity - 1);
}

static uint64_t load_id(struct rf_str body)
{
    return rf_load_sized(body.data, ID_SIZE);
}

/* ---- By number ----------------------------------------------------------------------------- */

static struct rf_table_number *find_place(const struct rf_tables *tables, uint64_t id)
{
    uint32_t i = place_of(id, tables->number_capacity);
    while (tables->numbers[i].statement != 0 && tables->numbers[i].id != id) {
        i = (i + 1) & (tables->number_capacity - 1);
    }
    return &tables->numbers[i];
}

static struct rf_table_number *add_number(struct rf_tables *tables, uint64_t id)
{
    if (tables->number_count * 2 >= tables->number_capacity) {
        struct rf_table_number *old = tables->numbers;
        uint32_t old_capacity = tables->number_capacity;
        tables->number_capacity = old_capacity ? old_capacity * 2 : FIRST_CAPACITY;
        tables->numbers = rf_alloc_zero(tables->number_capacity, sizeof *tables->numbers);
        for (uint32_t i = 0; i < old_capacity; i++) {
            if (old[i].statement != 0) {
                *find_place(tables, old[i].id) = old[i];
            }
        }
        free(old);
    }
    struct rf_table_number *number = find_place(tables, id);
    tables->number_count++;
    *number = (struct rf_table_number){.id = id};
    return number;
}

const struct rf_table_number *rf_tables_find(const struct rf_tables *tables, uint64_t id)
{
    if (tables->number_capacity == 0) {
        return NULL;
    }
    const struct rf_table_number *number = find_place(tables, id);
    return number->statement != 0 && number->statement == tables->statement ? number : NULL;
}

static void retire(struct rf_tables *tables, struct rf_table *table)
{
    if (table == NULL) {
        return;
    }
    if (tables->retired_count == tables->retired_capacity) {
        tables->retired_capacity = tables->retired_capacity ? tables->retired_capacity * 2 : 8;
        tables->retired =
            rf_realloc(tables->retired, tables->retired_capacity * sizeof(struct rf_table *));
    }
    tables->retired[tables->retired_count++] = table;
}

/* ---- By name ------------------------------------------------------------------------------- */

static void grow_names(struct rf_tables *tables)
{
    uint32_t capacity = tables->name_capacity ? tables->name_capacity * 2 : FIRST_CAPACITY;
    struct rf_table_name **names = rf_alloc_zero(capacity, sizeof *names);
    for (uint32_t i = 0; i < tables->name_capacity; i++) {
        for (struct rf_table_name *name = tables->names[i], *next; name != NULL; name = next) {
            next = name->next;
            uint32_t place = (uint32_t)name->hash & (capacity - 1);
            name->next = names[place];
            names[place] = name;
        }
    }
    free(tables->names);
    tables->names = names;
    tables->name_capacity = capacity;
}

static bool has_name(const struct rf_table_name *name, const struct rf_binlog_table *table)
{
    size_t size = table->database.size;
    return name->full_name.size == size + 1 + table->name.size &&
           memcmp(name->full_name.data, table->database.data, size) == 0 &&
           memcmp(name->full_name.data + size + 1, table->name.data, table->name.size) == 0;
}

static struct rf_table_name *find_name(struct rf_tables *tables, const struct rf_pick *pick,
                                       const struct rf_binlog_table *table)
{
    uint64_t hash = hash_bytes(table->database, 0xcbf29ce484222325);
    hash = hash_bytes(table->name, (hash ^ '.') * 0x100000001b3);
    if (tables->name_count >= tables->name_capacity) {
        grow_names(tables);
    }
    struct rf_table_name **place = &tables->names[(uint32_t)hash & (tables->name_capacity - 1)];
    for (struct rf_table_name *name = *place; name != NULL; name = name->next) {
        if (name->hash == hash && has_name(name, table)) {
            return name;
        }
    }
    struct rf_table_name *name = rf_alloc_zero(1, sizeof *name);
    rf_buf_add_str(&name->full_name, table->database);
    rf_buf_add_byte(&name->full_name, '.');
    rf_buf_add_str(&name->full_name, table->name);
    name->hash = hash;
    name->database_size = table->database.size;
    name->version = tables->version;
    name->picked = rf_pick_table(pick, rf_buf_str(&name->full_name));
    name->next = *place;
    *place = name;
    tables->name_count++;
    return name;
}

/* True when the TABLE_MAP says what is known of this name already. */
static bool is_known(const struct rf_table_name *name, struct rf_str body)
{
    const struct rf_buf *bytes = &name->bytes;
    return bytes->size > 0 &&
           (name->picked ? body.size - ID_SIZE == bytes->size
                         : body.size - ID_SIZE >= bytes->size) &&
           memcmp(body.data + ID_SIZE, bytes->data, bytes->size) == 0;
}

/* ---- What a TABLE_MAP with names does not say ---------------------------------------------- */

static bool is_address(unsigned type)
{
    return type == RF_COLUMN_UUID || type == RF_COLUMN_INET4 || type == RF_COLUMN_INET6;
}

static bool has_addresses(const struct rf_definition *definition)
{
    for (uint32_t i = 0; definition != NULL && i < definition->column_count; i++) {
        if (definition->columns[i].address != 0) {
            return true;
        }
    }
    return false;
}

/* The addresses of an earlier version of the table as a definition, freed with free(); NULL: it has
 * none, or there was none. */
static struct rf_definition *addresses_of(const struct rf_table *table)
{
    uint32_t count = 0;
    for (uint32_t i = 0; table != NULL && i < table->column_count; i++) {
        count += is_address(table->columns[i].type);
    }
    if (count == 0) {
        return NULL;
    }
    struct rf_definition *definition =
        rf_alloc_zero(1, sizeof *definition + count * sizeof *definition->columns);
    definition->columns = (struct rf_definition_column *)(definition + 1);
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (is_address(table->columns[i].type)) {
            definition->columns[definition->column_count++] = (struct rf_definition_column){
                .name = table->columns[i].name, .address = table->columns[i].type};
        }
    }
    return definition;
}

/* True when each address column of one is the same in the other. */
static bool covers(const struct rf_definition *known, const struct rf_definition *definition)
{
    for (uint32_t i = 0; i < definition->column_count; i++) {
        const struct rf_definition_column *column = &definition->columns[i];
        bool same = column->address == 0;
        for (uint32_t k = 0; !same && known != NULL && k < known->column_count; k++) {
            same = known->columns[k].address == column->address &&
                   rf_str_equal(known->columns[k].name, column->name);
        }
        if (!same) {
            return false;
        }
    }
    return true;
}

/* The definer could not say for sure what the table is like at this place of the log; `definition`
 * is what it is like elsewhere, or NULL. What it was like before and what it is like elsewhere
 * decide where they agree. Where there is nothing but BINARY, it is taken for that. Else nobody
 * knows whether these bytes are addresses, and keys may depend on it: err stays. */
static bool settle_addresses(struct rf_table_name *name, const struct rf_definition *known,
                             const struct rf_definition **definition, const char *why)
{
    if (has_addresses(*definition)) {
        return known != NULL && covers(known, *definition) && covers(*definition, known);
    }
    if (*definition != NULL && known != NULL) {
        return false;
    }
    if (known == NULL && !name->said) {
        name->said = true;
        rf_log(RF_LOG_WARN,
               "BINARY columns of table %s are carried as bytes: whether they are UUID, INET4 or "
               "INET6 could not be found out: %s",
               rf_buf_cstr(&name->full_name), why);
    }
    *definition = known;
    return true;
}

static void set_defined(struct rf_tables *tables, struct rf_table_name *name, bool typed)
{
    tables->defined_count += !name->defined;
    name->defined = true;
    name->typed = typed;
    name->changed = false;
}

static enum rf_status parse_named(struct rf_tables *tables, struct rf_table_name *name,
                                  const struct rf_binlog_table *table, struct rf_str body,
                                  enum rf_table_lack lack, struct rf_table **parsed,
                                  struct rf_error *err)
{
    const struct rf_definer *definer = tables->definer;
    const struct rf_definition *definition = NULL;
    struct rf_error failed = {0};
    if (lack == RF_LACKS_NOTHING ||
        (lack == RF_LACKS_ADDRESSES && tables->maker != RF_LOG_OF_MARIADB)) {
        return rf_binlog_table_parse(body, tables->maker, name->version + 1, parsed, err);
    }
    enum rf_status status =
        definer->define(definer->self, table, lack, name->changed, &definition, &failed);
    struct rf_definition *known = addresses_of(name->table);
    if (status == RF_CONFIG && lack == RF_LACKS_ADDRESSES &&
        settle_addresses(name, known, &definition, failed.message)) {
        status = RF_OK;
    } else if (status != RF_OK && err != NULL) {
        *err = failed;
    }
    if (status == RF_OK) {
        status = rf_binlog_table_complete(body, tables->maker, definition, name->version + 1,
                                          parsed, err);
    }
    if (status == RF_OK) {
        set_defined(tables, name, true);
    }
    free(known);
    return status;
}

/* Parses the TABLE_MAP, and completes it where it says too little. */
static enum rf_status parse(struct rf_tables *tables, struct rf_table_name *name,
                            const struct rf_binlog_table *table, struct rf_str body,
                            struct rf_table **parsed, struct rf_error *err)
{
    const struct rf_definer *definer = tables->definer;
    const struct rf_definition *definition = NULL;
    if (definer == NULL) {
        return rf_binlog_table_parse(body, tables->maker, name->version + 1, parsed, err);
    }
    enum rf_table_lack lack = rf_binlog_table_lacks(body, tables->maker);
    if (lack != RF_LACKS_NAMES) {
        return parse_named(tables, name, table, body, lack, parsed, err);
    }
    enum rf_status status =
        definer->define(definer->self, table, lack, name->changed, &definition, err);
    if (status == RF_OK) {
        status = rf_binlog_table_complete(body, tables->maker, definition, name->version + 1,
                                          parsed, err);
        if (status == RF_CONFIG && definer->hint != NULL) {
            rf_error_hint(err, "%s", definer->hint);
        }
    }
    if (status == RF_OK && definition != NULL) {
        set_defined(tables, name, false);
    }
    return status;
}

void rf_tables_change(struct rf_tables *tables, struct rf_str default_database,
                      struct rf_str statement)
{
    for (uint32_t i = 0; tables->defined_count > 0 && i < tables->name_capacity; i++) {
        for (struct rf_table_name *name = tables->names[i]; name != NULL; name = name->next) {
            struct rf_str full = rf_buf_str(&name->full_name);
            struct rf_str database = {full.data, name->database_size};
            struct rf_str table = {full.data + database.size + 1, full.size - database.size - 1};
            if (name->defined &&
                rf_change_concerns(default_database, statement, database, table, name->typed)) {
                name->changed = true;
                rf_buf_reset(&name->bytes);
            }
        }
    }
}

static enum rf_status learn(struct rf_tables *tables, struct rf_table_name *name,
                            const struct rf_binlog_table *table, struct rf_str body,
                            struct rf_error *err)
{
    struct rf_str bytes = {body.data + ID_SIZE, body.size - ID_SIZE};
    if (!name->picked) {
        bytes.size = (size_t)(table->name.data + table->name.size + 1 - bytes.data);
    } else {
        struct rf_table *parsed;
        enum rf_status status = parse(tables, name, table, body, &parsed, err);
        if (status != RF_OK) {
            return status;
        }
        rf_table_release(name->table);
        name->table = parsed;
        name->version++;
    }
    rf_buf_set(&name->bytes, bytes);
    return RF_OK;
}

/* ---- Together ------------------------------------------------------------------------------ */

enum rf_status rf_tables_map(struct rf_tables *tables, const struct rf_pick *pick,
                             struct rf_str body, struct rf_error *err)
{
    struct rf_table_number *number = NULL;
    uint64_t id = body.size >= ID_SIZE ? load_id(body) : 0;
    if (body.size >= ID_SIZE && tables->number_capacity > 0) {
        number = find_place(tables, id);
        if (number->statement == 0) {
            number = NULL;
        } else if (number->table == number->name->table && is_known(number->name, body)) {
            number->statement = tables->statement;
            return RF_OK;
        }
    }
    struct rf_binlog_table table;
    enum rf_status status = rf_binlog_table_name(body, &table, err);
    if (status != RF_OK) {
        return status;
    }
    struct rf_table_name *name = find_name(tables, pick, &table);
    if (!is_known(name, body)) {
        status = learn(tables, name, &table, body, err);
        if (status != RF_OK) {
            return status;
        }
    }
    if (number == NULL) {
        number = add_number(tables, id);
    }
    retire(tables, number->table);
    number->name = name;
    number->table = name->table ? rf_table_retain(name->table) : NULL;
    number->statement = tables->statement;
    return RF_OK;
}

void rf_tables_next_statement(struct rf_tables *tables)
{
    tables->statement++;
}

void rf_tables_settle(struct rf_tables *tables)
{
    for (uint32_t i = 0; i < tables->retired_count; i++) {
        rf_table_release(tables->retired[i]);
    }
    tables->retired_count = 0;
}

static void free_name(struct rf_table_name *name)
{
    rf_table_release(name->table);
    rf_buf_deinit(&name->full_name);
    rf_buf_deinit(&name->bytes);
    free(name);
}

/* Servers on which each job makes tables with names of their own have ever more of them. What a
 * definition was given for stays: whether a statement has voided it has to be known. */
static void drop_names(struct rf_tables *tables)
{
    for (uint32_t i = 0; i < tables->name_capacity; i++) {
        struct rf_table_name **place = &tables->names[i];
        while (*place != NULL) {
            struct rf_table_name *name = *place;
            if (name->defined) {
                place = &name->next;
                continue;
            }
            *place = name->next;
            tables->version = name->version > tables->version ? name->version : tables->version;
            tables->name_count--;
            free_name(name);
        }
    }
}

void rf_tables_forget(struct rf_tables *tables)
{
    for (uint32_t i = 0; i < tables->number_capacity; i++) {
        rf_table_release(tables->numbers[i].table);
    }
    if (tables->number_capacity > KEPT_CAPACITY) {
        free(tables->numbers);
        tables->numbers = NULL;
        tables->number_capacity = 0;
    } else if (tables->number_count > 0) {
        memset(tables->numbers, 0, tables->number_capacity * sizeof *tables->numbers);
    }
    tables->number_count = 0;
    rf_tables_settle(tables);
    if (tables->name_count > KEPT_NAMES) {
        drop_names(tables);
    }
}

void rf_tables_deinit(struct rf_tables *tables)
{
    rf_tables_forget(tables);
    for (uint32_t i = 0; i < tables->name_capacity; i++) {
        for (struct rf_table_name *name = tables->names[i], *next; name != NULL; name = next) {
            next = name->next;
            free_name(name);
        }
    }
    free(tables->names);
    free(tables->numbers);
    free(tables->retired);
    *tables = (struct rf_tables){.definer = tables->definer};
}
