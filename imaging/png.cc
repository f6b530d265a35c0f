#include "imaging/png.h"

#include <png.h>

#include <csetjmp>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include "imaging/alpha.h"

namespace imaging {
namespace {

using wire::Reason;
using Bytes = std::span<const std::uint8_t>;

// Chunks of no use here, some of which libpng would inflate.
constexpr png_byte kSkipped[] = "tEXt\0zTXt\0iTXt\0eXIf\0sPLT\0hIST\0tIME\0iCCP";
constexpr int kSkippedButProfile = 7;
constexpr int kSkippedAll = 8;

struct Input {
  Bytes rest;
};

[[noreturn]] void on_error(png_structp decoder, png_const_charp) { png_longjmp(decoder, 1); }

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp decoder, png_bytep out, std::size_t count) {
  Bytes& rest = static_cast<Input*>(png_get_io_ptr(decoder))->rest;
  if (count > rest.size()) png_error(decoder, "cut short");
  std::memcpy(out, rest.data(), count);
  rest = rest.subspan(count);
}

// libpng leaves by longjmp, which runs no destructors: what needs one lives outside of its methods.
class Decoder {
 public:
  explicit Decoder(Bytes body)
      : input_{body},
        library_(png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, on_error, on_warning)) {
    if (library_ != nullptr) info_ = png_create_info_struct(library_);
  }
  ~Decoder() { png_destroy_read_struct(&library_, &info_, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Return false if libpng has given up.
  bool start(bool with_profile) {
    if (info_ == nullptr || setjmp(png_jmpbuf(library_)) != 0) return false;
    png_set_read_fn(library_, &input_, read_bytes);
    png_set_user_limits(library_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // decode() has its own.
    png_set_keep_unknown_chunks(library_, PNG_HANDLE_CHUNK_NEVER, kSkipped,
                                with_profile ? kSkippedButProfile : kSkippedAll);
    png_read_info(library_, info_);
    png_set_expand(library_);  // Palettes, fewer than 8 bits and transparent colours.
    png_set_strip_16(library_);
    passes_ = png_set_interlace_handling(library_);
    png_read_update_info(library_, info_);
    return true;
  }

  // Samples for what read() gives, alpha being the last channel if there is one.
  Samples new_output() const {
    const int channels = png_get_channels(library_, info_);
    return new_samples(static_cast<int>(png_get_image_width(library_, info_)),
                       static_cast<int>(png_get_image_height(library_, info_)), channels,
                       channels < 3 ? Coding::grey : Coding::rgb);
  }

  bool read(const Samples& output) {
    if (setjmp(png_jmpbuf(library_)) != 0) return false;
    for (int pass = 0; pass < passes_; ++pass) {
      for (int y = 0; y < output.height; ++y) png_read_row(library_, output.row(y), nullptr);
    }
    return true;
  }

  std::vector<std::uint8_t> profile() const {
    png_charp name = nullptr;
    png_bytep bytes = nullptr;
    png_uint_32 size = 0;
    int compression = 0;
    if (png_get_iCCP(library_, info_, &name, &compression, &bytes, &size) == 0) return {};
    return {bytes, bytes + size};
  }

 private:
  Input input_;
  png_structp library_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
};

bool has_alpha(const Samples& samples) { return samples.channels % 2 == 0; }

Samples blended(const Samples& samples, const Preprocess& preprocess) {
  Samples out = new_samples(samples.width, samples.height, samples.channels - 1, samples.coding);
  blend_alpha(samples.pixels.get(), out, preprocess);
  return out;
}

}  // namespace

tl::expected<Samples, Reason> decode_png(Bytes body, const Preprocess& preprocess) {
  const bool with_profile = preprocess.icc == Icc::srgb;
  Decoder decoder(body);
  if (!decoder.start(with_profile)) return tl::unexpected(Reason::truncated_image);
  Samples samples = decoder.new_output();
  if (!decoder.read(samples)) return tl::unexpected(Reason::truncated_image);
  if (has_alpha(samples)) samples = blended(samples, preprocess);
  if (with_profile) samples.icc = decoder.profile();
  return samples;
}

}  // namespace imaging
