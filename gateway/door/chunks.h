// Reads a chunked body (RFC 9112, section 7.1) to its last byte, and nothing of what follows it.
//
// cpp-httplib 0.11 takes "0x5" and "5junk" for the size 5, and a chunk that does not end in CRLF
// for the end of the body.  Behind a proxy that reads the same bytes in another way, what remains
// would be a request that the proxy has never seen.  So nothing but the grammar is accepted here.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <functional>

namespace gateway {

// Gives the data to `take`, piece by piece, until it returns false.  Trailers are skipped.  Returns
// true if the body has come as a whole; false if it has not, is not well-formed, has a line of more
// than 8 KiB or trailers of more than that, or if `take` returned false: what `stream` has next is
// no request then.
bool read_chunks(httplib::Stream& stream,
                 const std::function<bool(const char*, std::size_t)>& take);

}  // namespace gateway
