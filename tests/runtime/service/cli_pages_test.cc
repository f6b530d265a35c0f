#include "runtime/service/cli_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "runtime/service/version.h"

namespace runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A program with verbs, options of every sort, examples and a footer.
class Program {
 public:
  Program() {
    app.require_subcommand(1);
    app.footer("\nExamples:\n  collage-sort big photos   the largest first\n\nExit code: 0 or 2.");
    CLI::App* big = app.add_subcommand("big", "Largest first.\n\n  collage-sort big photos");
    big->add_option("folder", folder, "Where the pictures are.")->required();
    big->add_option("-f,--format", format, "Of the list.")
        ->check(CLI::IsMember({"csv", "json"}))
        ->capture_default_str();
    big->add_option("--out", out, "Where the list goes,\nor - for standard output")
        ->envname("SORT_OUT");
    big->add_flag("--quiet", quiet, "Prints nothing.");
    CLI::App* small = app.add_subcommand("small", "Smallest first.");
    small->add_option("--limit", limit, ".5 of them, 'about', at C:\\.");
    small->add_flag("--secret", quiet, "For ourselves.")->group("");
  }

  CLI::App app{"Sorts pictures by size. It writes no file.", "collage-sort"};

 private:
  std::string folder, format = "csv", out, limit;
  bool quiet = false;
};

TEST(ManualPage, NamesTheProgramItsVersionAndWhatItDoes) {
  const std::string page = manual_page(Program().app);
  EXPECT_THAT(page, HasSubstr(".TH COLLAGE\\-SORT 1 \"\" \"collage " + version().substr(0, 5)));
  EXPECT_THAT(page, HasSubstr(".SH NAME\ncollage\\-sort \\- sorts pictures by size\n"));
}

TEST(ManualPage, HasEachVerbWithItsOptions) {
  const std::string page = manual_page(Program().app);
  EXPECT_THAT(page,
              HasSubstr(".SS \\fBbig\\fR [\\fIOPTIONS\\fR] \\fIfolder\\fR\nLargest first.\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n\\fB\\-f, \\-\\-format\\fR \\fITEXT\\fR\nOf the list.\n"
                              "One of: csv json.\nDefault: csv\n"));
  EXPECT_THAT(page, HasSubstr("\nor \\- for standard output.\n"));
  EXPECT_THAT(page, HasSubstr("Else the environment variable \\fBSORT_OUT\\fR.\n"));
  EXPECT_THAT(page, HasSubstr(".SS \\fBsmall\\fR"));
  EXPECT_THAT(page, Not(HasSubstr("secret")));
}

TEST(ManualPage, KeepsExamplesAsTheyAre) {
  const std::string page = manual_page(Program().app);
  EXPECT_THAT(page, HasSubstr(".EX\n  collage\\-sort big photos\n.EE\n"));
  EXPECT_THAT(page, HasSubstr(".SH EXAMPLES\n"));
}

TEST(ManualPage, EscapesWhatWouldBeACommandOfRoff) {
  const std::string page = manual_page(Program().app);
  EXPECT_THAT(page, HasSubstr("\n\\&.5 of them, 'about', at C:\\e.\n"));
}

// What bash offers for the last of some words, with the completion loaded.
std::vector<std::string> offered(const std::vector<std::string>& words) {
  const auto file =
      std::filesystem::path(testing::TempDir()) / ("completion-" + std::to_string(::getpid()));
  std::ofstream script(file);
  script << bash_completion(Program().app) << "\nCOMP_WORDS=(";
  for (const std::string& word : words) script << " '" << word << "'";
  script << " )\nCOMP_CWORD=" << words.size() - 1
         << "\n_collage_sort\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  script.close();
  FILE* bash = popen(("bash --norc '" + file.string() + "' 2>&1").c_str(), "r");
  std::vector<std::string> lines;
  std::array<char, 256> line{};
  while (std::fgets(line.data(), line.size(), bash) != nullptr) {
    std::string text = line.data();
    if (text.ends_with('\n')) text.pop_back();
    if (!text.empty()) lines.push_back(text);
  }
  EXPECT_EQ(pclose(bash), 0);
  return lines;
}

TEST(BashCompletion, OffersVerbs) {
  EXPECT_THAT(offered({"collage-sort", ""}), ElementsAre("big", "small"));
  EXPECT_THAT(offered({"collage-sort", "b"}), ElementsAre("big"));
}

TEST(BashCompletion, OffersTheOptionsOfTheVerb) {
  EXPECT_THAT(offered({"collage-sort", "big", "--f"}), ElementsAre("--format"));
  EXPECT_THAT(offered({"collage-sort", "small", "--"}), ElementsAre("--help", "--limit"));
}

TEST(BashCompletion, OffersTheValuesOfAnOption) {
  EXPECT_THAT(offered({"collage-sort", "big", "--format", ""}), ElementsAre("csv", "json"));
  EXPECT_THAT(offered({"collage-sort", "big", "-f", "j"}), ElementsAre("json"));
}

TEST(BashCompletion, LeavesFilesToBash) {
  EXPECT_THAT(offered({"collage-sort", "big", "--out", "x"}), IsEmpty());
  EXPECT_THAT(offered({"collage-sort", "big", "pho"}), IsEmpty());
}

TEST(Pages, ArePrintedOnlyIfAskedForAlone) {
  const Program program;
  std::string name = "collage-sort", page = "--manual-page", more = "big";
  std::vector<char*> argv = {name.data(), page.data(), more.data()};
  EXPECT_EQ(requested_page(program.app, 2, argv.data()), manual_page(program.app));
  EXPECT_EQ(requested_page(program.app, 3, argv.data()), std::nullopt);
  EXPECT_EQ(requested_page(program.app, 1, argv.data()), std::nullopt);
}

}  // namespace
}  // namespace runtime
