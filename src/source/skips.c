#include "source/skips.h"

#include "base/memory.h"
#include "base/nearest.h"
#include "source/index.h"

#include <stdlib.h>

static const char *const words[] = {"statements", "incident", "rollbacks"};
enum { WORD_COUNT = sizeof words / sizeof *words };

static enum rf_status not_known(const char *name, struct rf_error *err)
{
    const char *nearest = rf_nearest(name, words, WORD_COUNT);
    rf_fail(err, RF_CONFIG, "skip: \"%s\" is nothing that can be left out%s%s%s", name,
            nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    rf_error_hint(err, "statements, incident, rollbacks, or the GTID of a transaction (0-1-1234)");
    return RF_CONFIG;
}

/* A GTID, or file and offset. */
static bool parse_transaction(struct rf_skipped *skipped, struct rf_str name)
{
    const char *colon = name.size > 0 ? memrchr(name.data, ':', name.size) : NULL;
    if (rf_txid_parse(name, &skipped->txid)) {
        return true;
    }
    if (colon == NULL || colon == name.data) {
        return false;
    }
    struct rf_str file = {name.data, (size_t)(colon - name.data)}, base;
    struct rf_str offset = {colon + 1, name.size - file.size - 1};
    uint64_t number;
    if (memchr(file.data, ':', file.size) != NULL || !rf_index_number(file, &base, &number) ||
        !rf_str_to_u64(offset, &skipped->txid.offset)) {
        return false;
    }
    skipped->txid.kind = RF_TXID_PLACE;
    skipped->file = rf_str_dup(file);
    return true;
}

enum rf_status rf_skips_read(struct rf_skips *skips, const struct rf_list *names,
                             struct rf_error *err)
{
    for (uint32_t i = 0; i < names->count; i++) {
        struct rf_str name = rf_str_trim(rf_str_of(names->items[i]));
        bool *const switches[WORD_COUNT] = {&skips->statements, &skips->incident,
                                            &skips->rollbacks};
        struct rf_skipped skipped = {0};
        uint32_t word = 0;
        while (word < WORD_COUNT && !rf_str_equal(name, rf_str_of(words[word]))) {
            word++;
        }
        if (word < WORD_COUNT) {
            *switches[word] = true;
        } else if (parse_transaction(&skipped, name)) {
            skips->transactions =
                rf_realloc(skips->transactions, (skips->count + 1) * sizeof *skips->transactions);
            skips->transactions[skips->count++] = skipped;
        } else {
            return not_known(names->items[i], err);
        }
    }
    return RF_OK;
}

bool rf_skips_transaction(const struct rf_skips *skips, const struct rf_txid *txid,
                          struct rf_str file)
{
    for (uint32_t i = 0; i < skips->count; i++) {
        const struct rf_skipped *skipped = &skips->transactions[i];
        if (rf_txid_equal(&skipped->txid, txid) &&
            (txid->kind != RF_TXID_PLACE || rf_str_equal(rf_str_of(skipped->file), file))) {
            return true;
        }
    }
    return false;
}

void rf_skips_deinit(struct rf_skips *skips)
{
    for (uint32_t i = 0; i < skips->count; i++) {
        free(skips->transactions[i].file);
    }
    free(skips->transactions);
    *skips = (struct rf_skips){0};
}
