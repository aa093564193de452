#include "config/yaml.h"

#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    struct rf_yaml *yaml;
    struct rf_problems *problems;
    struct rf_str text; /* the whole file */
};

/* ---- What is refused ------------------------------------------------------------------------- */

static uint32_t line_of(const yaml_mark_t *mark)
{
    return mark->line < UINT32_MAX ? (uint32_t)mark->line + 1 : UINT32_MAX;
}

/* The libraries' word for it is that a character "cannot start any token". */
static bool begins_with_a_tab(struct rf_str text, uint32_t line)
{
    struct rf_str each;

    for (uint32_t at = 1; at < line; at++) {
        if (!rf_str_split(&text, '\n', &each)) {
            return false;
        }
    }
    if (!rf_str_split(&text, '\n', &each)) {
        return false;
    }
    for (size_t i = 0; i < each.size && (each.data[i] == ' ' || each.data[i] == '\t'); i++) {
        if (each.data[i] == '\t') {
            return true;
        }
    }
    return false;
}

/* A byte offset, for the errors that come from before there are lines. */
static uint32_t line_at(struct rf_str text, size_t offset)
{
    uint32_t line = 1;

    for (size_t i = 0; i < offset && i < text.size; i++) {
        line += text.data[i] == '\n';
    }
    return line;
}

/* libyaml's texts name no part of the file. */
static void add_syntax_problem(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem ? parser->problem : "it ends too early";
    uint32_t line = line_of(&parser->problem_mark);
    uint32_t begun = line_of(&parser->context_mark);

    if (parser->error == YAML_READER_ERROR) {
        rf_problem_add(reader->problems, line_at(reader->text, parser->problem_offset),
                       "this is no YAML: %s", problem);
        rf_problem_hint(reader->problems, "the file has to be UTF-8 without control characters");
    } else if (parser->context != NULL && strstr(parser->context, "simple key") != NULL) {
        line = begun; /* the key that lacks its colon, and not what follows it */
        rf_problem_add(reader->problems, line, "this is no YAML: %s", problem);
    } else if (parser->context != NULL && begun < line) {
        rf_problem_add(reader->problems, line, "this is no YAML: %s, %s that begins in line %u",
                       problem, parser->context, begun);
    } else {
        rf_problem_add(reader->problems, line, "this is no YAML: %s", problem);
    }
    if (begins_with_a_tab(reader->text, line)) {
        rf_problem_hint(reader->problems, "indent with spaces, not with tabs");
    } else if (parser->error == YAML_SCANNER_ERROR) {
        rf_problem_hint(reader->problems, "behind a key come a colon and a space; a text that "
                                          "begins with * & ! [ { @ or %% or has ': ' or ' #' in it "
                                          "needs quotes");
    }
}

static void refuse_anchor(struct reader *reader, uint32_t line, const char *what, char sign)
{
    rf_problem_add(reader->problems, line, "%s are not supported", what);
    rf_problem_hint(reader->problems, "a text that begins with %c needs quotes", sign);
}

static void refuse_decoration(struct reader *reader, uint32_t line, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    if (anchor != NULL) {
        refuse_anchor(reader, line, "anchors and aliases", '&');
    }
    if (tag != NULL) {
        refuse_anchor(reader, line, "tags", '!');
    }
}

/* ---- The tree -------------------------------------------------------------------------------- */

static struct rf_yaml_node *make_node(struct reader *reader, enum rf_yaml_kind kind, uint32_t line)
{
    struct rf_yaml_node *node = rf_arena_alloc(&reader->yaml->memory, sizeof *node);

    *node = (struct rf_yaml_node){.kind = kind, .line = line};
    return node;
}

static struct rf_yaml_node *make_text(struct reader *reader, const yaml_event_t *event)
{
    struct rf_yaml_node *node = make_node(reader, RF_YAML_TEXT, line_of(&event->start_mark));
    size_t size = event->data.scalar.length;
    char *copy = rf_arena_alloc(&reader->yaml->memory, size + 1);
    bool clean = true;

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = event->data.scalar.value[i];
        clean = clean && byte >= 0x20 && byte != 0x7f;
        copy[i] = (char)byte;
    }
    copy[clean ? size : 0] = '\0';
    if (!clean) {
        explicit_bzero(copy, size);
        rf_problem_add(reader->problems, node->line,
                       "a text has a line break or another control character in it");
        rf_problem_hint(reader->problems, "write it on one line");
    }
    node->text = copy;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->refused = !clean || event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    refuse_decoration(reader, node->line, event->data.scalar.anchor, event->data.scalar.tag);
    return node;
}

/* The next event; false at an error, which has been said. */
static bool next(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event) == 0) {
        add_syntax_problem(reader);
        return false;
    }
    return true;
}

static bool read_node(struct reader *reader, yaml_event_t *event, uint32_t depth,
                      struct rf_yaml_node **out);

static bool read_list(struct reader *reader, struct rf_yaml_node *list, uint32_t depth)
{
    struct rf_yaml_node **end = &list->first;
    yaml_event_t event;

    for (;;) {
        if (!next(reader, &event)) {
            return false;
        }
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        if (!read_node(reader, &event, depth + 1, end)) {
            return false;
        }
        end = &(*end)->next;
    }
}

/* A key is shown only where it can be nothing else. */
static bool is_name(const char *key)
{
    size_t size = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

    return size > 0 && size <= 40 && key[size] == '\0';
}

/* False: the value under it is left out. */
static bool check_key(struct reader *reader, const struct rf_yaml_node *map,
                      const struct rf_yaml_node *key, uint32_t count)
{
    if (key->refused) {
        return false;
    }
    if (key->kind != RF_YAML_TEXT) {
        rf_problem_add(reader->problems, key->line, "a key is %s", rf_yaml_describe(key));
        rf_problem_hint(reader->problems, "a text that begins with { or [ needs quotes");
        return false;
    }
    if (strcmp(key->text, "<<") == 0 && key->plain) {
        rf_problem_add(reader->problems, key->line, "merge keys are not supported");
        return false;
    }
    if (!is_name(key->text)) {
        rf_problem_add(reader->problems, key->line, "this is not the name of a key");
        rf_problem_hint(reader->problems, "behind a key come a colon and a space; a text that has "
                                          "a colon, { or [ in it needs quotes");
        return false;
    }
    const struct rf_yaml_node *before = rf_yaml_find(map, key->text);
    if (before != NULL) {
        rf_problem_add(reader->problems, key->line, "\"%s\" is here twice, first in line %u",
                       key->text, before->key_line);
        return false;
    }
    if (count == RF_YAML_KEYS_MAX) {
        rf_problem_add(reader->problems, key->line, "more than %d keys in one place",
                       RF_YAML_KEYS_MAX);
    }
    return count < RF_YAML_KEYS_MAX;
}

static bool read_map(struct reader *reader, struct rf_yaml_node *map, uint32_t depth)
{
    struct rf_yaml_node **end = &map->first;
    uint32_t count = 0;
    yaml_event_t event;

    for (;;) {
        struct rf_yaml_node *key = NULL, *value = NULL;
        if (!next(reader, &event)) {
            return false;
        }
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        if (!read_node(reader, &event, depth + 1, &key)) {
            return false;
        }
        bool good = check_key(reader, map, key, count);
        if (!next(reader, &event) || !read_node(reader, &event, depth + 1, &value)) {
            return false;
        }
        if (good) {
            value->key = key->text;
            value->key_line = key->line;
            *end = value;
            end = &value->next;
            count++;
        }
    }
}

/* Takes the event. False: reading is over, and why has been said. */
static bool read_node(struct reader *reader, yaml_event_t *event, uint32_t depth,
                      struct rf_yaml_node **out)
{
    uint32_t line = line_of(&event->start_mark);
    bool go_on = true;

    if (depth > RF_YAML_DEPTH_MAX) {
        rf_problem_add(reader->problems, line, "more than %d levels inside each other",
                       RF_YAML_DEPTH_MAX);
        yaml_event_delete(event);
        return false;
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT: *out = make_text(reader, event); break;
    case YAML_SEQUENCE_START_EVENT:
        *out = make_node(reader, RF_YAML_LIST, line);
        refuse_decoration(reader, line, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
        go_on = read_list(reader, *out, depth);
        break;
    case YAML_MAPPING_START_EVENT:
        *out = make_node(reader, RF_YAML_MAP, line);
        refuse_decoration(reader, line, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
        go_on = read_map(reader, *out, depth);
        break;
    default: /* an alias; nothing else is left */
        refuse_anchor(reader, line, "anchors and aliases", '*');
        *out = make_node(reader, RF_YAML_TEXT, line);
        (*out)->text = "";
        (*out)->refused = true;
        break;
    }
    yaml_event_delete(event);
    return go_on;
}

static void read_stream(struct reader *reader)
{
    yaml_event_t event;

    for (;;) {
        if (!next(reader, &event)) {
            reader->yaml->broken = true;
            return;
        }
        bool ends = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_END_EVENT ||
            ends) {
            yaml_event_delete(&event);
        } else if (event.type == YAML_DOCUMENT_START_EVENT) {
            uint32_t line = line_of(&event.start_mark);
            yaml_event_delete(&event);
            if (reader->yaml->root != NULL) {
                rf_problem_add(reader->problems, line, "a second document begins here");
                rf_problem_hint(reader->problems, "one file describes one pipeline");
                ends = true;
            }
        } else if (!read_node(reader, &event, 0, &reader->yaml->root)) {
            reader->yaml->broken = true;
            ends = true;
        }
        if (ends) {
            return;
        }
    }
}

void rf_yaml_parse(struct rf_yaml *yaml, struct rf_str text, struct rf_problems *problems)
{
    struct reader reader = {.yaml = yaml, .problems = problems, .text = text};

    if (text.size > RF_YAML_BYTES_MAX) {
        rf_problem_add(problems, 0, "larger than 1 MiB, which no configuration is");
        return;
    }
    rf_assert(yaml_parser_initialize(&reader.parser) != 0);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser,
                                 (const unsigned char *)(text.data ? text.data : ""), text.size);
    read_stream(&reader);
    yaml_parser_delete(&reader.parser);
}

/* ---- Asked of the tree ----------------------------------------------------------------------- */

const struct rf_yaml_node *rf_yaml_find(const struct rf_yaml_node *map, const char *key)
{
    if (map == NULL || map->kind != RF_YAML_MAP) {
        return NULL;
    }
    for (const struct rf_yaml_node *each = map->first; each != NULL; each = each->next) {
        if (strcmp(each->key, key) == 0) {
            return each;
        }
    }
    return NULL;
}

bool rf_yaml_is_null(const struct rf_yaml_node *node)
{
    return node->kind == RF_YAML_TEXT && node->plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
            rf_str_equal_nocase(rf_str_of(node->text), RF_STR("null")));
}

const char *rf_yaml_describe(const struct rf_yaml_node *node)
{
    switch (node->kind) {
    case RF_YAML_LIST: return "a list";
    case RF_YAML_MAP: return "a group of keys";
    case RF_YAML_TEXT: break;
    }
    return rf_yaml_is_null(node) ? "nothing" : "a text";
}

void rf_yaml_deinit(struct rf_yaml *yaml)
{
    for (struct rf_chunk *chunk = yaml->memory.head; chunk != NULL; chunk = chunk->next) {
        explicit_bzero(chunk->data, chunk->used);
    }
    rf_arena_deinit(&yaml->memory);
    *yaml = (struct rf_yaml){0};
}
