#include "format/ddl_words.h"

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static void step(struct rf_str *rest, size_t size)
{
    rest->data += size;
    rest->size -= size;
}

/* A version comment counts as what stands in it: only its beginning, with the number, and its end
 * are stepped over. */
static size_t comment_size(struct rf_str rest)
{
    size_t size = 2;
    if (rf_str_starts(rest, RF_STR("*/"))) {
        return size;
    }
    if (rf_str_starts(rest, RF_STR("/*!")) || rf_str_starts(rest, RF_STR("/*M!"))) {
        size = rest.data[2] == 'M' ? 4 : 3;
        while (size < rest.size && rest.data[size] >= '0' && rest.data[size] <= '9') {
            size++;
        }
        return size;
    }
    if (rf_str_starts(rest, RF_STR("/*"))) {
        while (size < rest.size &&
               !(rest.data[size - 1] == '*' && rest.data[size] == '/' && size > 2)) {
            size++;
        }
        return size < rest.size ? size + 1 : size;
    }
    if (rf_str_starts(rest, RF_STR("--")) || rf_str_starts(rest, RF_STR("#"))) {
        for (size = 1; size < rest.size && rest.data[size] != '\n';) {
            size++;
        }
        return size;
    }
    return 0;
}

static void skip_blanks(struct rf_str *rest)
{
    for (size_t size = 1; rest->size > 0 && size > 0;) {
        size = is_blank(rest->data[0]) ? 1 : comment_size(*rest);
        step(rest, size);
    }
}

/* The next word, empty when something else comes. */
static struct rf_str take_word(struct rf_str *rest)
{
    skip_blanks(rest);
    struct rf_str word = {rest->data, 0};
    while (word.size < rest->size && is_letter(word.data[word.size])) {
        word.size++;
    }
    step(rest, word.size);
    return word;
}

static bool is(struct rf_str word, const char *text)
{
    return rf_str_equal_nocase(word, rf_str_of(text));
}

static struct rf_str take_name(struct rf_str *rest)
{
    skip_blanks(rest);
    char quote = rest->size > 0 ? rest->data[0] : '\0';
    bool quoted = quote == '`' || quote == '"';
    if (quoted) {
        step(rest, 1);
    }
    struct rf_str name = {rest->data, 0};
    while (name.size < rest->size) {
        char byte = name.data[name.size];
        if (quoted ? byte == quote : is_blank(byte) || byte == ';' || byte == '/') {
            break;
        }
        name.size++;
    }
    return name;
}

/* Behind DATABASE: IF NOT EXISTS, IF EXISTS, then the name. */
static struct rf_str take_database(struct rf_str rest)
{
    for (;;) {
        struct rf_str before = rest;
        struct rf_str word = take_word(&rest);
        if (!is(word, "IF") && !is(word, "NOT") && !is(word, "EXISTS")) {
            return take_name(&before);
        }
    }
}

static enum rf_ddl_verb verb_of(struct rf_str word)
{
    return is(word, "CREATE")   ? RF_DDL_CREATE
           : is(word, "ALTER")  ? RF_DDL_ALTER
           : is(word, "DROP")   ? RF_DDL_DROP
           : is(word, "RENAME") ? RF_DDL_RENAME
                                : RF_DDL_OTHER;
}

static bool is_attribute(struct rf_str word)
{
    static const char *const words[] = {"OR",     "REPLACE",  "TEMPORARY", "ONLINE", "OFFLINE",
                                        "IGNORE", "FULLTEXT", "SPATIAL",   "UNIQUE", "VECTOR"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is(word, words[i])) {
            return true;
        }
    }
    return false;
}

struct rf_ddl_words rf_ddl_words_read(struct rf_str statement)
{
    struct rf_str rest = statement;
    struct rf_ddl_words words = {.verb = verb_of(take_word(&rest))};
    struct rf_str word = take_word(&rest);
    while (is_attribute(word)) {
        word = take_word(&rest);
    }
    if (words.verb == RF_DDL_OTHER) {
        return words;
    }
    if (is(word, "TABLE") || is(word, "TABLES")) {
        words.object = RF_DDL_TABLE;
    } else if (is(word, "INDEX")) {
        words.object = RF_DDL_INDEX;
    } else if (is(word, "DATABASE") || is(word, "SCHEMA")) {
        words.object = RF_DDL_DATABASE;
        words.name = take_database(rest);
    }
    return words;
}
