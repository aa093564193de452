#include "source/skips.h"

#include "base/memory.h"
#include "base/nearest.h"

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

enum rf_status rf_skips_read(struct rf_skips *skips, const struct rf_list *names,
                             struct rf_error *err)
{
    for (uint32_t i = 0; i < names->count; i++) {
        struct rf_str name = rf_str_trim(rf_str_of(names->items[i]));
        bool *const switches[WORD_COUNT] = {&skips->statements, &skips->incident,
                                            &skips->rollbacks};
        struct rf_gtid gtid;
        uint32_t word = 0;
        while (word < WORD_COUNT && !rf_str_equal(name, rf_str_of(words[word]))) {
            word++;
        }
        if (word < WORD_COUNT) {
            *switches[word] = true;
        } else if (rf_gtid_parse(name, &gtid)) {
            skips->gtids = rf_realloc(skips->gtids, (skips->count + 1) * sizeof *skips->gtids);
            skips->gtids[skips->count++] = gtid;
        } else {
            return not_known(names->items[i], err);
        }
    }
    return RF_OK;
}

bool rf_skips_transaction(const struct rf_skips *skips, struct rf_gtid gtid)
{
    for (uint32_t i = 0; i < skips->count; i++) {
        const struct rf_gtid *one = &skips->gtids[i];
        if (one->sequence == gtid.sequence && one->domain == gtid.domain &&
            one->server_id == gtid.server_id) {
            return true;
        }
    }
    return false;
}

void rf_skips_deinit(struct rf_skips *skips)
{
    free(skips->gtids);
    *skips = (struct rf_skips){0};
}
