#include "models/research/data/idx.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <zlib.h>

#include <fstream>

namespace models {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

class Idx : public ::testing::Test {
 protected:
  Idx()
      : file_(std::filesystem::path(::testing::TempDir()) /
              (std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) +
               ".idx")) {}
  ~Idx() override { std::filesystem::remove(file_); }

  void write(const std::vector<unsigned char>& bytes) {
    std::ofstream out(file_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  }

  void write_gz(const std::vector<unsigned char>& bytes) {
    gzFile out = gzopen(file_.c_str(), "wb");
    gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(out);
  }

  // The one line that reading the file throws.
  auto fails_with(const std::string& what) {
    return ThrowsMessage<std::runtime_error>(AllOf(StartsWith(file_.string()), HasSubstr(what)));
  }

  std::filesystem::path file_;
  // Two rows of three bytes.
  const std::vector<unsigned char> good_ = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255};
};

TEST_F(Idx, ReadsShapeAndValuesPlainOrGzipped) {
  for (const bool zipped : {false, true}) {
    if (zipped) {
      write_gz(good_);
    } else {
      write(good_);
    }
    const IdxArray array = read_idx(file_);
    EXPECT_THAT(array.shape, ElementsAre(2, 3));
    EXPECT_THAT(array.values, ElementsAre(1, 2, 3, 4, 5, 255));
  }
}

TEST_F(Idx, AMissingFileIsNamed) {
  EXPECT_THAT([&] { read_idx(file_); }, fails_with("cannot be opened"));
}

TEST_F(Idx, AFileCutAtAnyByteIsRefused) {
  for (std::size_t length = 0; length < good_.size(); ++length) {
    write({good_.begin(), good_.begin() + static_cast<std::ptrdiff_t>(length)});
    EXPECT_THAT([&] { read_idx(file_); }, fails_with("is truncated")) << length;
  }
}

TEST_F(Idx, ACutGzipFileIsRefused) {
  std::vector<unsigned char> long_one = {0, 0, 8, 1, 0, 0, 39, 16};
  for (std::uint32_t i = 0; i < 10000; ++i) {
    long_one.push_back(static_cast<unsigned char>(i * 2654435761u >> 13));
  }
  write_gz(long_one);
  EXPECT_EQ(read_idx(file_).values.size(), 10000u);
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) / 2);
  EXPECT_THAT([&] { read_idx(file_); }, ThrowsMessage<std::runtime_error>(HasSubstr(" is ")));
}

TEST_F(Idx, BytesLeftOverAreRefused) {
  auto longer = good_;
  longer.push_back(0);
  write(longer);
  EXPECT_THAT([&] { read_idx(file_); }, fails_with("left over"));
}

TEST_F(Idx, AnotherFormatIsRefused) {
  write({'<', 'h', 't', 'm', 'l', '>'});
  EXPECT_THAT([&] { read_idx(file_); }, fails_with("not an IDX file"));
  write({0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0});  // Floats.
  EXPECT_THAT([&] { read_idx(file_); }, fails_with("not an IDX file"));
}

TEST_F(Idx, AnImpossibleSizeIsRefusedBeforeMemoryIsTaken) {
  write({0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255});
  EXPECT_THAT([&] { read_idx(file_); }, fails_with("impossible size"));
  write({0, 0, 8, 1, 0, 0, 0, 0});
  EXPECT_THAT([&] { read_idx(file_); }, fails_with("impossible size"));
}

TEST_F(Idx, AShortFileThatClaimsToBeLongTakesLittleMemory) {
  const auto peak_kib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = peak_kib();
  write({0, 0, 8, 2, 0, 0, 128, 0, 0, 0, 128, 0, 1, 2, 3});  // 1 GiB.
  EXPECT_THAT([&] { read_idx(file_); }, fails_with("is truncated"));
  EXPECT_LT(peak_kib() - before, 200 * 1024);
}

}  // namespace
}  // namespace models
