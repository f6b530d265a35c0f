#include "models/research/data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>

namespace models {
namespace {

constexpr std::size_t kBytesMax = std::size_t{1} << 30;
constexpr std::size_t kPieceBytes = std::size_t{1} << 24;
constexpr int kRankMax = 4;

class GzReader {
 public:
  explicit GzReader(const std::filesystem::path& file)
      : name_(file.string()), file_(gzopen(name_.c_str(), "rb"), &gzclose) {
    if (!file_) fail("cannot be opened");
  }

  void read(std::uint8_t* into, std::size_t count) {
    if (read_some(into, count) != count) fail("is truncated");
  }

  bool at_end() {
    std::uint8_t byte = 0;
    return read_some(&byte, 1) == 0;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(name_ + ": " + what);
  }

 private:
  // gzread takes and returns int-sized counts, so large counts go in pieces.
  std::size_t read_some(std::uint8_t* into, std::size_t count) {
    std::size_t done = 0;
    while (done < count) {
      const auto piece = static_cast<unsigned>(std::min(count - done, kPieceBytes));
      const int got = gzread(file_.get(), into + done, piece);
      if (got < 0) fail("is damaged");
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  std::string name_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
};

std::size_t read_size(GzReader& reader) {
  std::array<std::uint8_t, 4> b{};
  reader.read(b.data(), b.size());
  return (std::size_t{b[0]} << 24) | (std::size_t{b[1]} << 16) | (std::size_t{b[2]} << 8) | b[3];
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& file) {
  GzReader reader(file);
  std::array<std::uint8_t, 4> magic{};
  reader.read(magic.data(), magic.size());
  if (magic[0] != 0 || magic[1] != 0 || magic[2] != 8 || magic[3] < 1 || magic[3] > kRankMax) {
    reader.fail("is not an IDX file of unsigned bytes");
  }
  IdxArray array;
  std::size_t count = 1;
  for (int i = 0; i < magic[3]; ++i) {
    array.shape.push_back(read_size(reader));
    if (array.shape.back() == 0 || array.shape.back() > kBytesMax / count) {
      reader.fail("claims an impossible size");
    }
    count *= array.shape.back();
  }
  // Piece by piece: a short file that claims to be long takes no more memory than it has bytes.
  for (std::size_t done = 0; done < count; done = array.values.size()) {
    array.values.resize(std::min(count, done + kPieceBytes));
    reader.read(array.values.data() + done, array.values.size() - done);
  }
  if (!reader.at_end()) reader.fail("has bytes left over");
  return array;
}

}  // namespace models
