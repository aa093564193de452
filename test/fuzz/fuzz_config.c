/* Any text as a configuration file: no crash, no overflow; what is refused says why, with the
 * file's name in front, and what is accepted has a source and sinks. Twice the same text, twice the
 * same answer. */
#include "config/file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sample {
    const char *name;
    int64_t wait_ms;
    struct rf_list list;
};

static const struct rf_option options[] = {
    {"name", RF_OPTION_TEXT, offsetof(struct sample, name), NULL, NULL, "a name", false},
    {"wait-ms", RF_OPTION_DURATION, offsetof(struct sample, wait_ms), NULL, "1..10s", "a time",
     false},
    {"list", RF_OPTION_LIST, offsetof(struct sample, list), NULL, NULL, "several", false},
    RF_OPTION_END,
};
static const struct rf_config_refusal refusals[] = {{NULL, NULL}};
static const struct rf_config_top top = {options, refusals};

/* No text may make us read a file of this machine, or wait for one. */
static bool names_a_file(struct rf_str text)
{
    return memmem(text.data, text.size, "_file", 5) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rf_problems problems, again;
    struct rf_str text = {(const char *)data, size};
    struct rf_settings none = {0};

    if (size > 0 && names_a_file(text)) {
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        struct rf_problems *seen = i == 0 ? &problems : &again;
        struct rf_config config = {0};
        *seen = (struct rf_problems){.file = "f"};
        enum rf_status status = rf_config_parse(&config, text, true, &top, none, seen);
        if (status == RF_OK) {
            rf_assert(seen->count == 0 && config.ends.sink_count > 0);
            rf_assert(config.ends.source_spec.type != NULL && config.ends.source.key != NULL);
        } else {
            rf_assert(status == RF_CONFIG && seen->count > 0);
        }
        for (uint32_t k = 0; k < seen->count; k++) {
            rf_assert(strncmp(seen->items[k].err.message, "f:", 2) == 0);
            rf_assert(k == 0 || seen->items[k - 1].line <= seen->items[k].line);
        }
        rf_config_deinit(&config);
    }
    rf_assert(problems.count == again.count && problems.left_out == again.left_out);
    return 0;
}
