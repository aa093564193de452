#include "sink/place.h"

enum rf_status rf_place_check_epoch(const struct rf_context *ctx, uint64_t epoch, const char *where,
                                    const char *product, struct rf_error *err)
{
    if (epoch <= ctx->epoch || ctx->adopt) {
        return RF_OK;
    }
    rf_fail(err, RF_FATAL,
            "%s was opened by a later start of pipeline %s (epoch %llu, this is %llu)", where,
            ctx->pipeline, (unsigned long long)epoch, (unsigned long long)ctx->epoch);
    rf_error_hint(err,
                  "another process of this name is at work, or the state directory is an older "
                  "one; a second pipeline needs a --name of its own. If the state was lost, "
                  "--adopt goes on from the position in %s",
                  product);
    return RF_FATAL;
}

enum rf_status rf_place_check_position(const struct rf_context *ctx, struct rf_str position,
                                       const char *where, struct rf_error *err)
{
    if (position.size > 0 || ctx->position.size == 0 || ctx->adopt || ctx->ordered) {
        return RF_OK;
    }
    rf_fail(err, RF_FATAL, "%s has no position of pipeline %s: it lost its data, or is another one",
            where, ctx->pipeline);
    rf_error_hint(err,
                  "it should be at %.*s; nothing was written. See docs/delivery.md on a "
                  "destination that lost its data",
                  RF_STR_ARG(ctx->position));
    return RF_FATAL;
}
