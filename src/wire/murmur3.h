/* Murmur3 as Cassandra's partitioner counts it: which place of the ring a partition's key has.
 *
 * Used by net/cql_ring. It is the first half of MurmurHash3 x64 128 with seed 0, but for the bytes
 * behind the last whole block of 16: Cassandra takes them as signed numbers.
 *
 * Source: Austin Appleby, MurmurHash3.cpp (public domain); Apache Cassandra, MurmurHash.java,
 * hash3_x64_128, and Murmur3Partitioner.java, getToken. */
#ifndef ROWFERRY_WIRE_MURMUR3_H
#define ROWFERRY_WIRE_MURMUR3_H

#include <rowferry/str.h>

/* The token of a key: of one column its bytes; of several each one's [short] size, its bytes and a
 * zero. */
int64_t rf_murmur3_token(struct rf_str key);

#endif
