#include "imaging/jpeg.h"

// libjpeg's headers need these first.
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>
#include <jpegint.h>

#include <algorithm>
#include <csetjmp>
#include <cstdlib>

namespace imaging {
namespace {

using wire::Reason;
using Bytes = std::span<const std::uint8_t>;

// What libjpeg has reported of one file.  `library` is first, so that its address is the report's.
struct Report {
  jpeg_error_mgr library;
  std::jmp_buf give_up;
  bool damaged = false;
  bool unsupported = false;
  decltype(jpeg_entropy_decoder::decode_mcu) decode_mcu = nullptr;  // libjpeg's own.
  std::size_t left_over = 0;  // Bytes that were skipped behind the last of several scans.
};

Report& report_of(j_common_ptr decoder) { return *reinterpret_cast<Report*>(decoder->err); }

// What a sound file may ask for and libjpeg lacks.
bool is_unsupported(int code) {
  return code == JERR_SOF_UNSUPPORTED || code == JERR_BAD_PRECISION ||
         code == JERR_CONVERSION_NOTIMPL || code == JERR_ARITH_NOTIMPL ||
         code == JERR_CCIR601_NOTIMPL || code == JERR_FRACT_SAMPLE_NOTIMPL ||
         code == JERR_COMPONENT_COUNT || code == JERR_NOTIMPL;
}

[[noreturn]] void on_error(j_common_ptr decoder) {
  Report& report = report_of(decoder);
  report.unsupported = is_unsupported(report.library.msg_code);
  std::longjmp(report.give_up, 1);
}

// Called for each warning (level -1) and, for traces, with other levels.
void on_message(j_common_ptr decoder, int level) {
  if (level >= 0) return;
  Report& report = report_of(decoder);
  switch (report.library.msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
      report.damaged = true;
      break;
    case JWRN_EXTRANEOUS_DATA: {
      // Before the first scan it is junk of the header.
      if (reinterpret_cast<j_decompress_ptr>(decoder)->input_scan_number == 0) break;
      const int* numbers = report.library.msg_parm.i;
      report.left_over = static_cast<std::size_t>(std::max(numbers[0], 0));
      report.damaged |= numbers[1] != JPEG_EOI;
      break;
    }
    default:
      break;
  }
}

void print_nothing(j_common_ptr) {}

// Stands in for libjpeg's decoder of a group of blocks.  The mean of a block is coded as the
// difference to the one before, so bytes that are lost shift all that follow; sooner or later one
// is lighter than white or darker than black, which no encoder writes.
boolean decode_and_check(j_decompress_ptr decoder, JBLOCKROW* blocks) {
  constexpr int kMeanMax = 8 * 128;
  Report& report = report_of(reinterpret_cast<j_common_ptr>(decoder));
  if (report.decode_mcu(decoder, blocks) == FALSE) return FALSE;
  for (int i = 0; i < decoder->blocks_in_MCU; ++i) {
    const jpeg_component_info* component = decoder->cur_comp_info[decoder->MCU_membership[i]];
    const int step = component->quant_table->quantval[0];
    const int mean = (*blocks[i])[0] * step;
    report.damaged |= std::abs(mean) > kMeanMax + kMeanMax / 8 + step;
  }
  return TRUE;
}

bool ends_with_eoi(Bytes body) {
  while (!body.empty() && body.back() == 0) body = body.first(body.size() - 1);
  return body.size() >= 2 && body[body.size() - 2] == 0xff && body.back() == JPEG_EOI;
}

// `body[begin, end)` is left over between the data of the last scan and the next marker or the end
// of the file.  If that marker is the end marker, it may be padding, which repeats one byte; if
// there is none, a camera's trailer.  Zeros behind zeros are neither: a scan was overwritten, and
// its decoder ran dry in what it took for data.
bool is_harmless(Bytes body, std::size_t begin, std::size_t end) {
  constexpr std::size_t kReadAhead = 8;  // libjpeg reads up to so many bytes of it as data.
  constexpr std::size_t kScan = 16;
  const Bytes rest = body.subspan(begin, end - begin);
  const auto repeat = [&](Bytes bytes) {
    return std::ranges::all_of(bytes, [&](std::uint8_t byte) { return byte == rest[0]; });
  };
  if (begin > kReadAhead + kScan && repeat(rest.first(std::min(kScan, rest.size()))) &&
      repeat(body.subspan(begin - kReadAhead - kScan, kScan))) {
    return false;
  }
  const bool closed = end + 1 < body.size() && body[end] == 0xff && body[end + 1] == JPEG_EOI;
  constexpr std::size_t kShort = 4;  // So few bytes are equal by chance.
  const bool padding = repeat(rest) && (rest[0] == 0 || rest.size() > kShort);
  return closed ? padding : !ends_with_eoi(body);
}

// Returns true if every frequency of every component has come in some scan.
bool is_complete(const jpeg_decompress_struct& decoder) {
  for (int c = 0; c < decoder.num_components; ++c) {
    if (decoder.comp_info[c].component_needed && decoder.comp_info[c].quant_table == nullptr) {
      return false;
    }
    if (decoder.coef_bits == nullptr) continue;
    const int* bits = decoder.coef_bits[c];
    if (std::any_of(bits, bits + DCTSIZE2, [](int bit) { return bit < 0; })) return false;
  }
  return true;
}

// libjpeg leaves by longjmp, which runs no destructors: what needs one lives outside of decode().
class Decoder {
 public:
  Decoder() {
    library_.err = jpeg_std_error(&report_.library);
    report_.library.error_exit = on_error;
    report_.library.emit_message = on_message;
    report_.library.output_message = print_nothing;
  }
  ~Decoder() { jpeg_destroy_decompress(&library_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Return false if libjpeg has given up.
  bool start(Bytes body, int shrink) {
    if (setjmp(report_.give_up) != 0) return false;
    jpeg_create_decompress(&library_);
    jpeg_mem_src(&library_, body.data(), body.size());
    jpeg_read_header(&library_, TRUE);
    if (library_.jpeg_color_space == JCS_UNKNOWN) {
      report_.unsupported = true;
      return false;
    }
    library_.scale_num = 1;
    library_.scale_denom = static_cast<unsigned>(shrink);
    if (library_.num_components == 4) library_.out_color_space = JCS_CMYK;
    jpeg_start_decompress(&library_);
    report_.decode_mcu = library_.entropy->decode_mcu;
    library_.entropy->decode_mcu = decode_and_check;
    return true;
  }

  Samples new_output() const {
    const int channels = library_.output_components;
    return new_samples(static_cast<int>(library_.output_width),
                       static_cast<int>(library_.output_height), channels,
                       channels == 1   ? Coding::grey
                       : channels == 3 ? Coding::rgb
                                       : Coding::cmyk);
  }

  bool finish(const Samples& output) {
    if (setjmp(report_.give_up) != 0) return false;
    while (library_.output_scanline < library_.output_height) {
      JSAMPROW row = output.row(static_cast<int>(library_.output_scanline));
      jpeg_read_scanlines(&library_, &row, 1);
    }
    return true;
  }

  // Requires that finish() has returned true.  Of several scans, libjpeg has read all; of one, what
  // it needed.
  bool sound(Bytes body, const JpegSegments& segments) const {
    if (report_.damaged || !is_complete(library_)) return false;
    std::size_t end = segments.scans_end;
    std::size_t begin = end - std::min(report_.left_over, end);
    if (!segments.multiscan()) {
      if (library_.unread_marker != 0) return true;
      begin = body.size() - library_.src->bytes_in_buffer;
      end = end_of_scan(body, begin);
    }
    return begin == end || is_harmless(body, begin, end);
  }

  // Adobe's applications write the four inks inverted, 0 for full ink, and an Adobe marker.
  bool inks_inverted() const { return library_.saw_Adobe_marker != 0; }
  Reason reason() const {
    return report_.unsupported ? Reason::unsupported_image : Reason::truncated_image;
  }

 private:
  jpeg_decompress_struct library_{};
  Report report_{};
};

void invert(const Samples& samples) {
  for (std::uint8_t* sample = samples.row(0); sample != samples.row(samples.height); ++sample) {
    *sample = static_cast<std::uint8_t>(255 - *sample);
  }
}

}  // namespace

tl::expected<Samples, Reason> decode_jpeg(Bytes body, const JpegSegments& segments, int shrink) {
  if (segments.frame != 0 && !segments.decodable()) {
    return tl::unexpected(Reason::unsupported_image);
  }
  Decoder decoder;
  // libjpeg ends several scans at the end of what it is given, and so reads no trailer.
  const Bytes picture = segments.multiscan() ? body.first(segments.scans_end) : body;
  if (!decoder.start(picture, shrink)) return tl::unexpected(decoder.reason());
  Samples output = decoder.new_output();
  if (!decoder.finish(output) || !decoder.sound(body, segments)) {
    return tl::unexpected(decoder.reason());
  }
  if (output.coding == Coding::cmyk && decoder.inks_inverted()) invert(output);
  return output;
}

}  // namespace imaging
