/* Documents from outside: what is called sound can be walked without a check, its _id has a text,
 * and a place in a change stream that it is the token of reads back as it was printed. */
#include "source/mongodb_resume.h"
#include "wire/bson_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct rf_str document)
{
    struct rf_bson_element element;
    struct rf_bson_walk at = rf_bson_walk(document);
    while (rf_bson_next(&at, &element)) {
        rf_assert(element.value.data >= document.data &&
                  element.value.data + element.value.size < document.data + document.size);
        if (element.type == RF_BSON_DOCUMENT || element.type == RF_BSON_ARRAY) {
            walk(rf_bson_document(&element));
        }
    }
}

static void keep_place(struct rf_str token)
{
    struct rf_resume place = {0}, again = {0};
    struct rf_buf text = {0};
    if (rf_resume_take(&place, token)) {
        rf_buf_set(&place.deployment, RF_STR("set=1"));
        place.seconds += place.seconds == 0;
        rf_resume_print(&text, &place);
        rf_assert(rf_resume_parse(&again, rf_buf_str(&text), NULL) == RF_OK);
        rf_assert(rf_str_equal(rf_buf_str(&again.token), token));
        rf_assert(again.seconds == place.seconds && again.increment == place.increment);
        rf_assert(rf_resume_contains(rf_buf_str(&text), rf_buf_str(&text)));
    }
    rf_resume_deinit(&place);
    rf_resume_deinit(&again);
    rf_buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_str bytes = {(const char *)data, size};
    struct rf_bson_element id;
    struct rf_buf text = {0};
    struct rf_resume place;
    if (rf_bson_is_sound(bytes)) {
        walk(bytes);
        keep_place(bytes);
        if (rf_bson_find(bytes, RF_STR("_id"), &id)) {
            rf_bson_id_add(&text, &id);
        }
    }
    if (rf_resume_from(&place, bytes, NULL) == RF_OK) {
        rf_resume_deinit(&place);
    }
    rf_buf_deinit(&text);
    return 0;
}
