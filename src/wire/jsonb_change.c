#include "wire/jsonb_change.h"

#include "wire/cursor.h"
#include "wire/jsonb.h"
#include "wire/jsonb_value.h"

enum { REPLACE = 0, INSERT = 1, REMOVE = 2 };

static const char no_changes[] = "the changes of a JSON document are damaged";
static const char misses[] = "a change of a JSON document does not fit the document before it";

/* A value of the document in hand. As long as nothing in it was looked at, it is its bytes; then
 * its elements are nodes, too. */
struct node {
    struct node *next;
    struct node *first; /* its elements, once it is open */
    struct rf_str key;  /* of a member */
    struct rf_jsonb_value value;
    bool open;
    bool object; /* open: not an array */
};

/* One step of a path. */
struct step {
    struct rf_str key; /* of a member; else `number` is the element's */
    uint64_t number;
    bool member;
};

struct path {
    struct step steps[RF_JSONB_DEPTH_MAX];
    unsigned count;
};

/* ---- Paths --------------------------------------------------------------------------------- */

static int digit_of(char byte)
{
    static const char digits[] = "0123456789abcdef";
    char lower = byte >= 'A' && byte <= 'F' ? (char)(byte + 'a' - 'A') : byte;
    const char *at = byte != '\0' ? memchr(digits, lower, sizeof digits - 1) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* The four digits of \uXXXX; above 0xffff: they are none. */
static uint32_t read_unit(const struct rf_str *text, size_t at)
{
    uint32_t code = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = at + i < text->size ? digit_of(text->data[at + i]) : -1;
        if (digit < 0) {
            return UINT32_MAX;
        }
        code = code << 4 | (uint32_t)digit;
    }
    return code;
}

/* A key between quotes, of which the first was taken; `rest` goes on behind the last one. The
 * server escapes what JSON cannot say otherwise, which is all below 0x80. */
static bool read_quoted(struct rf_str *rest, struct rf_arena *scratch, struct rf_str *key)
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char *copy = rf_arena_alloc(scratch, rest->size), *end = copy;
    for (size_t i = 0; i < rest->size; i++) {
        char byte = rest->data[i];
        if (byte == '"') {
            *key = (struct rf_str){copy, (size_t)(end - copy)};
            *rest = (struct rf_str){rest->data + i + 1, rest->size - i - 1};
            return true;
        }
        if (byte == '\\') {
            if (++i == rest->size) {
                return false;
            }
            const char *found = memchr(escapes, rest->data[i], sizeof escapes - 1);
            uint32_t unit = rest->data[i] == 'u' ? read_unit(rest, i + 1) : UINT32_MAX;
            if (found == NULL && unit >= 0x80) {
                return false;
            }
            byte = found != NULL ? meant[found - escapes] : (char)unit;
            i += found != NULL ? 0 : 4;
        }
        *end++ = byte;
    }
    return false;
}

static bool read_member(struct rf_str *rest, struct rf_arena *scratch, struct step *step)
{
    size_t size = 0;
    step->member = true;
    if (rest->size > 0 && rest->data[0] == '"') {
        *rest = (struct rf_str){rest->data + 1, rest->size - 1};
        return read_quoted(rest, scratch, &step->key);
    }
    while (size < rest->size && rest->data[size] != '.' && rest->data[size] != '[') {
        size++;
    }
    step->key = (struct rf_str){rest->data, size};
    *rest = (struct rf_str){rest->data + size, rest->size - size};
    return size > 0;
}

static bool read_number(struct rf_str *rest, struct step *step)
{
    const char *closer = memchr(rest->data, ']', rest->size);
    if (closer == NULL) {
        return false;
    }
    struct rf_str digits = {rest->data, (size_t)(closer - rest->data)};
    *rest = (struct rf_str){closer + 1, rest->size - digits.size - 1};
    step->member = false;
    return rf_str_to_u64(digits, &step->number);
}

static bool read_path(struct rf_str text, struct rf_arena *scratch, struct path *path)
{
    path->count = 0;
    if (text.size == 0 || text.data[0] != '$') {
        return false;
    }
    struct rf_str rest = {text.data + 1, text.size - 1};
    while (rest.size > 0) {
        char mark = rest.data[0];
        if (path->count == RF_JSONB_DEPTH_MAX || (mark != '.' && mark != '[')) {
            return false;
        }
        struct step *step = &path->steps[path->count++];
        rest = (struct rf_str){rest.data + 1, rest.size - 1};
        if (!(mark == '.' ? read_member(&rest, scratch, step) : read_number(&rest, step))) {
            return false;
        }
    }
    return true;
}

/* ---- The document in hand ------------------------------------------------------------------ */

/* Makes nodes of its elements. */
static const char *open_node(struct node *node, struct rf_arena *scratch)
{
    struct rf_jsonb_container container;
    struct node **link = &node->first;
    if (node->open) {
        return NULL;
    }
    if (!rf_jsonb_is_container(node->value)) {
        return misses;
    }
    const char *why = rf_jsonb_open(node->value, &container);
    for (uint32_t i = 0; why == NULL && i < container.count; i++) {
        struct node *element = rf_arena_alloc(scratch, sizeof *element);
        *element = (struct node){0};
        why = rf_jsonb_element(&container, i, &element->key, &element->value);
        *link = element;
        link = &element->next;
    }
    node->open = why == NULL;
    node->object = why == NULL && container.object;
    return why;
}

/* As the server sorts keys: the shorter one first, then by bytes. */
static int key_compare(struct rf_str a, struct rf_str b)
{
    if (a.size != b.size) {
        return a.size < b.size ? -1 : 1;
    }
    return a.size > 0 ? memcmp(a.data, b.data, a.size) : 0;
}

/* Where the pointer to the element stands that the step leads to; the pointer is NULL, or leads to
 * the element behind it, when there is none: then *found is false. */
static struct node **find_element(struct node *node, const struct step *step, bool *found)
{
    struct node **link = &node->first;
    *found = false;
    if (!step->member) {
        for (uint64_t left = step->number; *link != NULL && left > 0; left--) {
            link = &(*link)->next;
        }
        *found = *link != NULL;
        return link;
    }
    for (; *link != NULL; link = &(*link)->next) {
        int order = key_compare((*link)->key, step->key);
        if (order >= 0) {
            *found = order == 0;
            break;
        }
    }
    return link;
}

static const char *change(struct node *root, unsigned op, const struct path *path,
                          struct rf_jsonb_value value, struct rf_arena *scratch)
{
    struct node *node = root;
    struct node **link = NULL;
    for (unsigned i = 0; i < path->count; i++) {
        bool found, last = i + 1 == path->count;
        const char *why = open_node(node, scratch);
        if (why != NULL || node->object != path->steps[i].member) {
            return why != NULL ? why : misses;
        }
        link = find_element(node, &path->steps[i], &found);
        bool absent = last && op == INSERT && node->object;
        if (!(last && op == INSERT) ? !found : absent && found) {
            return misses;
        }
        node = *link;
    }
    switch (op) {
    case REPLACE: {
        struct node **place = link != NULL ? link : &root;
        (*place)->value = value;
        (*place)->open = false;
        (*place)->first = NULL;
        return NULL;
    }
    case REMOVE:
        if (link == NULL) {
            return misses;
        }
        *link = (*link)->next;
        return NULL;
    default: {
        if (link == NULL) {
            return misses;
        }
        struct node *inserted = rf_arena_alloc(scratch, sizeof *inserted);
        *inserted =
            (struct node){.next = *link, .key = path->steps[path->count - 1].key, .value = value};
        *link = inserted;
        return NULL;
    }
    }
}

/* ---- Text ---------------------------------------------------------------------------------- */

/* Nodes are open on the ways of paths only, which have no more steps than the stack has places. */
static const char *print(struct rf_buf *out, const struct node *root, size_t limit)
{
    const struct node *opened[RF_JSONB_DEPTH_MAX + 1];
    unsigned depth = 0;
    const char *why = NULL;
    for (const struct node *node = root; why == NULL;) {
        if (depth > 0 && opened[depth - 1]->object && node != NULL) {
            why = rf_jsonb_add_string(out, node->key);
            rf_buf_add_str(out, RF_STR(": "));
        }
        if (node != NULL && node->open) {
            rf_assert(depth < sizeof opened / sizeof *opened);
            rf_buf_add_byte(out, node->object ? '{' : '[');
            opened[depth++] = node;
            node = node->first;
            if (node != NULL) {
                continue;
            }
        } else if (why == NULL) {
            why = rf_jsonb_add(out, node->value, limit);
        }
        /* What was just written has an end; so may what is around it. */
        while (depth > 0 && (node == NULL || node->next == NULL)) {
            node = opened[--depth];
            rf_buf_add_byte(out, node->object ? '}' : ']');
        }
        if (depth == 0) {
            break;
        }
        rf_buf_add_str(out, RF_STR(", "));
        node = node->next;
    }
    return why;
}

static const char *apply(struct node *root, struct rf_str changes, struct rf_arena *scratch)
{
    struct rf_cursor cursor = rf_cursor_of(changes);
    struct path path;
    while (rf_cursor_left(&cursor) > 0) {
        struct rf_jsonb_value value = {0};
        uint8_t op = rf_cursor_u8(&cursor, "operation");
        struct rf_str text = rf_cursor_str(&cursor, rf_cursor_packed(&cursor, "size"), "path");
        if (op < REMOVE) {
            struct rf_str bytes =
                rf_cursor_str(&cursor, rf_cursor_packed(&cursor, "size"), "value");
            if (bytes.size == 0) {
                return no_changes;
            }
            const uint8_t *at = (const uint8_t *)bytes.data;
            value = (struct rf_jsonb_value){*at, at + 1, at + bytes.size};
        }
        if (cursor.missing != NULL || op > REMOVE || !read_path(text, scratch, &path)) {
            return no_changes;
        }
        const char *why = change(root, op, &path, value, scratch);
        if (why != NULL) {
            return why;
        }
    }
    return NULL;
}

const char *rf_jsonb_print_changed(struct rf_buf *out, struct rf_str document,
                                   struct rf_str changes, struct rf_arena *scratch)
{
    static const uint8_t null_document[] = {0x04, 0x00};
    const size_t begin = out->size;
    const uint8_t *at = document.size > 0 ? (const uint8_t *)document.data : null_document;
    size_t size = document.size > 0 ? document.size : sizeof null_document;
    struct node root = {.value = {*at, at + 1, at + size}};
    const char *why = apply(&root, changes, scratch);
    if (why == NULL) {
        why = print(out, &root, begin + rf_jsonb_text_max(size + changes.size));
    }
    if (why != NULL) {
        out->size = begin;
    }
    return why;
}
