/* Documents of collections as rows: by default `_id text PRIMARY KEY, document text`, the document
 * being its relaxed Extended JSON; with values=... what the templates make of the fields that they
 * name (wire/bson_row.h).
 *
 * A row that is made of a document lies beside the window, as it is needed until the node has said
 * that it has it: longer than the window, and not as long as the batch. */
#include "sink/cassandra_sink.h"
#include "sink/document.h"

#include "base/memory.h"

#include <stdlib.h>

enum { WAITING_BYTES = 64 << 20 /* of rows, at most; then what is under way is waited for */ };

void rf_cassandra_documents_show(struct rf_cassandra_sink *sink, struct rf_cassandra_table *table)
{
    struct rf_str *names = NULL, name;
    uint32_t count = 0;
    for (uint32_t i = 0; i < sink->values.count; i++) {
        uint32_t at = 0;
        while (rf_template_next_column(&sink->value_templates[i], &at, &name)) {
            names = rf_realloc(names, (count + 1) * sizeof *names);
            names[count++] = name;
        }
    }
    rf_bson_row_init(&table->row, table->table, names, count, sink->values.count == 0);
    table->shown = table->row.table;
    free(names);
}

enum rf_status rf_cassandra_document_take(struct rf_cassandra_sink *sink,
                                          struct rf_cassandra_change *change, bool *passes,
                                          struct rf_error *err)
{
    enum rf_document_do what = RF_DOCUMENT_PASS;
    enum rf_status status = rf_document_decide(change->event, &what, err);
    *passes = what == RF_DOCUMENT_PASS;
    if (status == RF_OK && sink->documents.bytes > WAITING_BYTES) {
        status = rf_cassandra_rows_finish(sink, err);
    }
    if (status == RF_OK && !*passes) {
        change->image = rf_bson_row_of(&change->table->row, change->image, &sink->documents);
        change->other = NULL;
    }
    return status;
}
