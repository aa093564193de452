#include "container/pack.h"

struct rf_buf *rf_pack_file(struct rf_pack *pack, const char *name, unsigned mode, unsigned user)
{
    rf_assert(pack->file_count < RF_PACK_FILES_MAX);
    struct rf_pack_file *file = &pack->files[pack->file_count++];

    *file = (struct rf_pack_file){.name = name, .mode = mode, .user = user};
    return &file->text;
}

void rf_pack_deinit(struct rf_pack *pack)
{
    rf_words_deinit(&pack->command);
    rf_words_deinit(&pack->environment);
    for (uint32_t i = 0; i < pack->file_count; i++) {
        rf_buf_wipe(&pack->files[i].text);
    }
    *pack = (struct rf_pack){0};
}
