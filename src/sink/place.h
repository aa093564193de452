/* What a sink asks of the position that it finds beside the data, before it writes anything. Used
 * by all whose destination keeps the position. */
#ifndef ROWFERRY_SINK_PLACE_H
#define ROWFERRY_SINK_PLACE_H

#include <rowferry/sink.h>

/* No later start of the pipeline has been there, unless ctx->adopt. `where` is the destination for
 * the message, "Redis at host:port", and `product` what it is, "Redis". Returns RF_OK; RF_FATAL. */
RF_USE_RESULT enum rf_status rf_place_check_epoch(const struct rf_context *ctx, uint64_t epoch,
                                                  const char *where, const char *product,
                                                  struct rf_error *err);
/* There is a position where one was recorded, unless ctx->adopt or ctx->ordered. Returns RF_OK;
 * RF_FATAL. */
RF_USE_RESULT enum rf_status rf_place_check_position(const struct rf_context *ctx,
                                                     struct rf_str position, const char *where,
                                                     struct rf_error *err);

#endif
