/* How `sources`, `sinks` and `formats` list what there is. */
#ifndef ROWFERRY_CLI_LIST_H
#define ROWFERRY_CLI_LIST_H

#include <rowferry/option.h>

/* No options. */
extern const struct rf_option rf_list_options[];

/* One plugin: its name and summary, or why it is missing; then its example, if any. Appends. */
void rf_list_add(struct rf_buf *out, const char *name, const char *summary, const char *missing,
                 const char *example);

/* What an address may begin with, "mysql:", one a line, of what is in the build. Append. */
void rf_list_add_source_schemes(struct rf_buf *out);
void rf_list_add_sink_schemes(struct rf_buf *out);

#endif
