/* The document of a running pipeline: whatever answers at a socket is read without harm, and what
 * was read and is written again is read again as the same. */
#include "control/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_document document = {0}, again = {0};
    struct rf_buf first = {0}, second = {0};
    struct rf_str json = {(const char *)data, size};

    if (rf_document_read(&document, json, NULL) == RF_OK) {
        rf_document_print(&first, &document);
        rf_assert(rf_document_read(&again, rf_buf_str(&first), NULL) == RF_OK);
        rf_document_print(&second, &again);
        rf_assert(again.sink_count == document.sink_count);
        /* A byte that is no UTF-8 is marked the first time, and a character from then on. */
        rf_document_deinit(&document);
        rf_assert(rf_document_read(&document, rf_buf_str(&second), NULL) == RF_OK);
        rf_buf_reset(&first);
        rf_document_print(&first, &document);
        rf_assert(rf_str_equal(rf_buf_str(&first), rf_buf_str(&second)));
    }
    rf_document_deinit(&document);
    rf_document_deinit(&again);
    rf_buf_deinit(&first);
    rf_buf_deinit(&second);
    return 0;
}
