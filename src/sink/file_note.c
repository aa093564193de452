#include "sink/file_note.h"

bool rf_file_note_parse(struct rf_str text, struct rf_file_note *note)
{
    struct rf_str kind = RF_STR("none"), field;
    uint64_t *const numbers[] = {&note->device, &note->inode, &note->length,
                                 &note->number, NULL,         &note->began_us};
    uint32_t count = 0;
    *note = (struct rf_file_note){0};
    for (; text.data != NULL && rf_str_split(&text, ' ', &field); count++) {
        if (count == sizeof numbers / sizeof *numbers) {
            return false;
        }
        if (numbers[count] == NULL) {
            kind = field;
        } else if (!rf_str_to_u64(field, numbers[count])) {
            return false;
        }
    }
    return (count == 3 || count == 6) && rf_file_kind_of(kind, &note->kind);
}

void rf_file_note_add(const struct rf_file_note *note, bool is_long, struct rf_buf *out)
{
    rf_buf_printf(out, "%llu %llu %llu", (unsigned long long)note->device,
                  (unsigned long long)note->inode, (unsigned long long)note->length);
    if (is_long) {
        rf_buf_printf(out, " %llu %s %llu", (unsigned long long)note->number,
                      rf_file_kind_name(note->kind), (unsigned long long)note->began_us);
    }
}
