#include "runtime/config/document.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>
#include <functional>

namespace runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Document parsed(const std::string& text) { return Document::parse(text, "pipeline.yaml"); }

// Returns the error line of reading the text; empty if there is no error.
std::string error_of(const std::string& text, const std::function<void(Section&)>& read) {
  try {
    const Document document = parsed(text);
    Section root = document.root();
    read(root);
    document.finish();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
    return error.what();
  }
  return "";
}

std::string syntax_error(const std::string& text) {
  return error_of(text, [](Section& root) { root.text("key"); });
}

TEST(Document, EveryKindOfValueIsRead) {
  const Document document = parsed(
      "name: collage of 9\n"
      "quoted: \"250\"\n"
      "workers: 9\n"
      "gate: 0.75\n"
      "verbose: true\n"
      "linger: 250ms\n"
      "body_max: 16MiB\n"
      "policy: hedge\n"
      "endpoints: [tcp://a:1, 'tcp://b:2']\n");
  Section root = document.root();
  EXPECT_EQ(root.text("name"), "collage of 9");
  EXPECT_EQ(root.text("quoted"), "250");
  EXPECT_EQ(root.integer("workers", 1, 100), 9);
  EXPECT_EQ(root.number("gate", 0, 1), 0.75);
  EXPECT_TRUE(root.flag("verbose"));
  EXPECT_EQ(root.duration("linger", 0s, 10s), 250ms);
  EXPECT_EQ(root.bytes("body_max", 1, 1u << 30), 16u << 20);
  EXPECT_EQ(root.choice<char>("policy", {{"none", 'n'}, {"hedge", 'h'}}), 'h');
  EXPECT_THAT(root.texts("endpoints"), ElementsAre("tcp://a:1", "tcp://b:2"));
  document.finish();
}

TEST(Document, AnAbsentKeyHasItsDefault) {
  const Document document = parsed("other: 1\n");
  Section root = document.root();
  EXPECT_EQ(root.text("name", "x"), "x");
  EXPECT_EQ(root.integer("workers", 1, 100, 9), 9);
  EXPECT_EQ(root.number("gate", 0, 1, 0.5), 0.5);
  EXPECT_FALSE(root.flag("verbose", false));
  EXPECT_EQ(root.duration("linger", 0s, 10s, 3ms), 3ms);
  EXPECT_EQ(root.bytes("body_max", 1, 100, 7), 7u);
  EXPECT_EQ(root.choice<char>("policy", {{"none", 'n'}, {"hedge", 'h'}}, 'h'), 'h');
  EXPECT_THAT(root.texts("endpoints", std::vector<std::string>{"a"}), ElementsAre("a"));
  EXPECT_FALSE(root.has("name"));
  EXPECT_TRUE(root.has("other"));
}

TEST(Document, SectionsAndListsOfSectionsAreReadByTheirPaths) {
  const Document document = parsed(
      "sink:\n"
      "  patience: 2s\n"
      "stages:\n"
      "  - port: 1\n"
      "  - port: 2\n");
  EXPECT_EQ(document.root().section("sink").duration("patience", 0s, 9s), 2s);
  std::vector<Section> stages = document.root().sections("stages");
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[1].path(), "stages[1]");
  EXPECT_EQ(stages[0].integer("port", 0, 9), 1);
  EXPECT_EQ(stages[1].integer("port", 0, 9), 2);
  EXPECT_THAT(document.root().sections("others"), IsEmpty());
  document.finish();
}

TEST(Document, ASectionOfNamesListsThemAndAllMustBeAskedFor) {
  const Document document = parsed("weights:\n  b: 1\n  a.1: 2\n");
  Section weights = document.root().section("weights");
  EXPECT_THAT(weights.keys(), ElementsAre("b", "a.1"));
  EXPECT_EQ(weights.integer("a.1", 1, 9), 2);
  EXPECT_THROW(document.finish(), runtime::ConfigError);
  EXPECT_EQ(weights.integer("b", 1, 9), 1);
  document.finish();
}

TEST(Document, AnAbsentOrEmptySectionHasNoKeys) {
  const Document document = parsed("sink:\nother: 1\n");
  EXPECT_EQ(document.root().section("sink").integer("a", 0, 9, 4), 4);
  EXPECT_EQ(document.root().section("broker").integer("a", 0, 9, 5), 5);
  EXPECT_THAT(document.root().section("sink").keys(), IsEmpty());
  EXPECT_THAT(document.root().section("broker").keys(), IsEmpty());
  EXPECT_EQ(error_of("sink:\n  b: 1\n",
                     [](Section& root) { root.section("sink").section("deep").flag("on"); }),
            "pipeline.yaml:1:1: sink.deep.on: missing, expected true or false");
}

TEST(Document, ADocumentOutlivesItsHandleInItsSections) {
  Section root = parsed("workers: 9\n").root();
  EXPECT_EQ(root.integer("workers", 1, 100), 9);
}

TEST(Document, AMissingKeyIsAnErrorAtItsSection) {
  EXPECT_EQ(error_of("a: 1\nsink:\n  b: 1\n",
                     [](Section& root) { root.section("sink").integer("workers", 1, 25); }),
            "pipeline.yaml:2:1: sink.workers: missing, expected a whole number from 1 to 25");
}

TEST(Document, AMissingKeyThatIsThereMistypedIsShownThere) {
  EXPECT_EQ(
      error_of("a: 1\nwrokers: 9\n",
               [](Section& root) {
                 root.integer("a", 0, 9);
                 root.integer("workers", 1, 25);
               }),
      "pipeline.yaml:2:1: workers: missing, expected a whole number from 1 to 25; did you mean "
      "'workers' by 'wrokers'?");
}

TEST(Document, AnUnknownKeyIsRefusedWithTheNearestKnownOne) {
  const auto read = [](Section& root) {
    Section sink = root.section("sink");
    sink.duration("patience", 0s, 9s, 1s);
    sink.flag("corrections", false);
  };
  EXPECT_EQ(error_of("sink:\n  patiense: 2s\n", read),
            "pipeline.yaml:2:3: sink.patiense: unknown key, did you mean 'patience'?");
  EXPECT_EQ(error_of("sink:\n  colour: red\n", read),
            "pipeline.yaml:2:3: sink.colour: unknown key, allowed here: corrections, patience");
  EXPECT_EQ(error_of("sink: {}\nsnik: {}\n", read),
            "pipeline.yaml:2:1: snik: unknown key, did you mean 'sink'?");
}

TEST(Document, AnUnknownKeyInAListIsRefusedWithItsPlace) {
  EXPECT_EQ(error_of("stages:\n  - port: 1\n  - prot: 2\n",
                     [](Section& root) {
                       for (Section& stage : root.sections("stages")) {
                         stage.integer("port", 0, 9, 0);
                       }
                     }),
            "pipeline.yaml:3:5: stages[1].prot: unknown key, did you mean 'port'?");
}

TEST(Document, AnUnknownKeyOfOddCharactersIsStillOneLine) {
  EXPECT_EQ(error_of("key: a\n\"b\\nc\": 1\n", [](Section& root) { root.text("key"); }),
            "pipeline.yaml:2:1: b\\x0ac: unknown key, allowed here: key");
}

TEST(Document, WrongTypesAreNamedWithWhatIsAllowed) {
  const std::string integer = ", expected a whole number from 1 to 25";
  const auto read_integer = [](Section& root) { root.integer("key", 1, 25); };
  EXPECT_EQ(error_of("key: nine\n", read_integer), "pipeline.yaml:1:6: key: is 'nine'" + integer);
  EXPECT_EQ(error_of("key: \"9\"\n", read_integer), "pipeline.yaml:1:6: key: is '9'" + integer);
  EXPECT_EQ(error_of("key: 9.5\n", read_integer), "pipeline.yaml:1:6: key: is '9.5'" + integer);
  EXPECT_EQ(error_of("key: [9]\n", read_integer), "pipeline.yaml:1:6: key: is a list" + integer);
  EXPECT_EQ(error_of("key: {a: 9}\n", read_integer),
            "pipeline.yaml:1:6: key: is a section" + integer);
  EXPECT_EQ(error_of("key:\n", read_integer), "pipeline.yaml:1:1: key: has no value" + integer);
  EXPECT_EQ(error_of("key: ''\n", read_integer), "pipeline.yaml:1:6: key: has no value" + integer);

  EXPECT_EQ(error_of("key: yes\n", [](Section& root) { root.flag("key"); }),
            "pipeline.yaml:1:6: key: is 'yes', expected true or false");
  EXPECT_EQ(error_of("key: .nan\n", [](Section& root) { root.number("key", 0, 1); }),
            "pipeline.yaml:1:6: key: is '.nan', expected a number from 0 to 1");
  EXPECT_EQ(error_of("key: nan\n", [](Section& root) { root.number("key", 0, 1); }),
            "pipeline.yaml:1:6: key: is 'nan', expected a number from 0 to 1");
  EXPECT_EQ(error_of("key: a\n", [](Section& root) { root.section("key"); }),
            "pipeline.yaml:1:6: key: is not a section, expected keys with values");
  EXPECT_EQ(error_of("key: a\n", [](Section& root) { root.sections("key"); }),
            "pipeline.yaml:1:6: key: is not a list, expected a list of sections");
  EXPECT_EQ(error_of("key: [a]\n", [](Section& root) { root.sections("key"); }),
            "pipeline.yaml:1:7: key[0]: is not a section, expected keys with values");
  EXPECT_EQ(error_of("key: a\n", [](Section& root) { root.texts("key"); }),
            "pipeline.yaml:1:6: key: is not a list, expected a list of texts");
  EXPECT_EQ(error_of("key: [a, {b: c}]\n", [](Section& root) { root.texts("key"); }),
            "pipeline.yaml:1:10: key[1]: is not a text, expected a text");
}

TEST(Document, ANumberMayBeLeftToTheProgram) {
  const auto read = [](const std::string& text) {
    std::optional<std::int64_t> number;
    const std::string error =
        error_of(text, [&](Section& root) { number = root.integer_or_auto("key", 1, 25); });
    return error.empty() ? (number ? std::to_string(*number) : "left") : error;
  };
  EXPECT_EQ(read("{}\n"), "left");
  EXPECT_EQ(read("key: auto\n"), "left");
  EXPECT_EQ(read("key: 25\n"), "25");
  const std::string allowed = ", expected auto or a whole number from 1 to 25";
  EXPECT_EQ(read("key: 26\n"), "pipeline.yaml:1:6: key: is '26'" + allowed);
  EXPECT_EQ(read("key: Auto\n"), "pipeline.yaml:1:6: key: is 'Auto'" + allowed);
  EXPECT_EQ(read("key: [auto]\n"), "pipeline.yaml:1:6: key: is a list" + allowed);
}

TEST(Document, BoundsAreInclusive) {
  const auto integer = [](Section& root) { root.integer("key", 1, 25); };
  EXPECT_EQ(error_of("key: 1\n", integer), "");
  EXPECT_EQ(error_of("key: 25\n", integer), "");
  EXPECT_EQ(error_of("key: 26\n", integer),
            "pipeline.yaml:1:6: key: is '26', expected a whole number from 1 to 25");
  EXPECT_THAT(error_of("key: 0\n", integer), HasSubstr("is '0', expected"));
  EXPECT_THAT(error_of("key: 99999999999999999999\n", integer),
              HasSubstr("expected a whole number"));

  const auto number = [](Section& root) { root.number("key", 0, 0.5); };
  EXPECT_EQ(error_of("key: 0.5\n", number), "");
  EXPECT_EQ(error_of("key: 0.51\n", number),
            "pipeline.yaml:1:6: key: is '0.51', expected a number from 0 to 0.5");
  EXPECT_THAT(error_of("key: -0.1\n", number), HasSubstr("is '-0.1', expected"));

  const auto bytes = [](Section& root) { root.bytes("key", 1024, 4096); };
  EXPECT_EQ(error_of("key: 4KiB\n", bytes), "");
  EXPECT_EQ(
      error_of("key: 4097\n", bytes),
      "pipeline.yaml:1:6: key: is '4097', expected a size from 1KiB to 4KiB in bytes or with a "
      "unit (B, KiB, MiB, GiB)");
  EXPECT_THAT(error_of("key: 1023\n", bytes), HasSubstr("is '1023', expected"));
}

TEST(Document, ADurationNeedsAUnit) {
  const auto read = [](Section& root) { root.duration("key", 1ms, 60s); };
  const std::string allowed =
      ", expected a duration from 1ms to 1m with a unit (ns, us, ms, s, m, h)";
  EXPECT_EQ(error_of("key: 1m\n", read), "");
  EXPECT_EQ(error_of("key: 250\n", read),
            "pipeline.yaml:1:6: key: is '250' without a unit" + allowed);
  EXPECT_EQ(error_of("key: 250 days\n", read), "pipeline.yaml:1:6: key: is '250 days'" + allowed);
  EXPECT_EQ(error_of("key: 61s\n", read), "pipeline.yaml:1:6: key: is '61s'" + allowed);
  EXPECT_EQ(error_of("key: 999us\n", read), "pipeline.yaml:1:6: key: is '999us'" + allowed);
  EXPECT_EQ(error_of("key: -2s\n", read), "pipeline.yaml:1:6: key: is '-2s'" + allowed);
}

TEST(Document, AChoiceSuggestsTheNearestName) {
  const auto read = [](Section& root) {
    root.choice<int>("policy", {{"none", 0}, {"hedge", 1}, {"collage", 2}});
  };
  EXPECT_EQ(error_of("policy: colage\n", read),
            "pipeline.yaml:1:9: policy: is 'colage', did you mean 'collage'? expected one of none, "
            "hedge, collage");
  EXPECT_EQ(error_of("policy: duplicate\n", read),
            "pipeline.yaml:1:9: policy: is 'duplicate', expected one of none, hedge, collage");
}

TEST(Document, ACallersOwnErrorIsShownAtTheKeyOrElseAtTheSection) {
  const auto fail = [](std::string_view key) {
    return [key](Section& root) { root.section("sink").fail(key, "must be less"); };
  };
  EXPECT_EQ(error_of("sink:\n  a: 1\n  patience: 2s\n", fail("patience")),
            "pipeline.yaml:3:3: sink.patience: must be less");
  EXPECT_EQ(error_of("sink:\n  a: 1\n", fail("patience")),
            "pipeline.yaml:1:1: sink.patience: must be less");
}

TEST(Document, AKeyGivenTwiceIsRefused) {
  EXPECT_EQ(syntax_error("key: 1\nother: 2\nkey: 3\n"),
            "pipeline.yaml:3:1: 'key': is given twice, first in line 1");
  EXPECT_EQ(syntax_error("key: {a: 1, a: 2}\n"),
            "pipeline.yaml:1:13: 'a': is given twice, first in line 1");
}

TEST(Document, AnchorsAliasesAndTagsAreRefused) {
  EXPECT_EQ(syntax_error("key: &a [1]\n"),
            "pipeline.yaml:1:6: an anchor (&) is not allowed, write the value out where needed");
  EXPECT_THAT(syntax_error("key: &a\n"), HasSubstr("pipeline.yaml:1:6: an anchor"));
  EXPECT_THAT(syntax_error("a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]\n"), HasSubstr("an anchor"));
  EXPECT_THAT(syntax_error("key: *a\n"), HasSubstr("pipeline.yaml:1:"));
  EXPECT_EQ(syntax_error("key: !!int 3\n"),
            "pipeline.yaml:1:6: a tag (!) is not allowed, remove it");
}

TEST(Document, ATabInAnIndentationIsShownWhereItIs) {
  EXPECT_EQ(syntax_error("sink:\n\tkey: 1\n"),
            "pipeline.yaml:2:1: a tab indents this line, use spaces");
  EXPECT_EQ(syntax_error("sink:\n  \tkey: 1\n"),
            "pipeline.yaml:2:3: a tab indents this line, use spaces");
  EXPECT_EQ(syntax_error("key: a\t# A tab elsewhere is a space.\n"), "");
}

TEST(Document, AByteOrderMarkAndCrlfAreAcceptedAndMoveNoPlace) {
  const std::string text = "\xef\xbb\xbfkey: words\r\nworkers: x\r\n";
  const Document document = parsed(text);
  EXPECT_EQ(document.root().text("key"), "words");
  EXPECT_EQ(document.root().text("workers"), "x");
  EXPECT_EQ(syntax_error(text), "pipeline.yaml:2:1: workers: unknown key, allowed here: key");
  EXPECT_EQ(syntax_error("\xef\xbb\xbf\tkey: x\n"),
            "pipeline.yaml:1:1: a tab indents this line, use spaces");
  EXPECT_EQ(syntax_error("\xef\xbb\xbfkay: x\r\n"),
            "pipeline.yaml:1:1: key: missing, expected a text; did you mean 'key' by 'kay'?");
}

TEST(Document, ControlCharactersAndOtherEncodingsAreRefused) {
  EXPECT_EQ(syntax_error(std::string("key: a\0b\n", 9)),
            "pipeline.yaml:1:7: a control character is not allowed, remove it");
  EXPECT_EQ(syntax_error("key: \x1b[31m\n"),
            "pipeline.yaml:1:6: a control character is not allowed, remove it");
  EXPECT_EQ(syntax_error("key: gr\xfcn\n"), "pipeline.yaml:1:8: is not UTF-8 text");
  EXPECT_EQ(syntax_error(std::string("\xff\xfek\0e\0y\0", 8)),
            "pipeline.yaml:1:1: is not UTF-8 text");
  EXPECT_THAT(syntax_error("key: \"a\\0b\"\n"), HasSubstr("NUL"));
  EXPECT_EQ(syntax_error("key: gr\xc3\xbcn\n"), "");
}

TEST(Document, WhatIsNoMappingIsRefused) {
  EXPECT_EQ(syntax_error(""), "pipeline.yaml:1:1: is empty, expected keys with values");
  EXPECT_EQ(syntax_error("# Nothing.\n"), "pipeline.yaml:1:1: is empty, expected keys with values");
  EXPECT_EQ(syntax_error("words\n"),
            "pipeline.yaml:1:1: is not a mapping, expected keys with values");
  EXPECT_EQ(syntax_error("- a\n"),
            "pipeline.yaml:1:1: is not a mapping, expected keys with values");
  EXPECT_THAT(syntax_error("key: a\n---\nkey: b\n"), HasSubstr("a second document"));
}

TEST(Document, WhatIsNoYamlIsRefusedWithItsPlace) {
  EXPECT_THAT(syntax_error("key: [1, 2\n"), HasSubstr("is not YAML: "));
  EXPECT_THAT(syntax_error("key: 1\n bad: 2\n"), HasSubstr("pipeline.yaml:2:"));
  EXPECT_EQ(syntax_error("k: 1\nkey: \"abc\nd: e\n"), "pipeline.yaml:2:6: a quote is not closed");
  EXPECT_EQ(syntax_error("key: 'it''s\n"), "pipeline.yaml:1:6: a quote is not closed");
  EXPECT_EQ(syntax_error("key: 'gr\xc3\xbc ''a'''\r\n"), "");
  EXPECT_EQ(syntax_error("key: \"\\\"\"\n"), "");
  EXPECT_THAT(syntax_error("? [a, b]\n: c\n"), HasSubstr("is not a key, expected a text"));
  EXPECT_THAT(syntax_error("{{a: b}: c}\n"), HasSubstr("is not a key, expected a text"));
}

TEST(Document, DepthIsBounded) {
  EXPECT_EQ(syntax_error("key: " + std::string(100, '[') + std::string(100, ']') + "\n"),
            "pipeline.yaml:1:21: nested too deeply, at most 16 levels");
  EXPECT_THAT(syntax_error("key: " + std::string(500'000, '[')), HasSubstr("pipeline.yaml:1:"));
}

TEST(Document, ResolvedHoldsValuesTheirOriginAndWhatIsAllowed) {
  const Document document = parsed("a: 1\nsink:\n  patience: 2000ms\n");
  document.root().section("sink").duration("patience", 0s, 9s);
  document.root().integer("a", 0, 9);
  document.root().integer("a", 0, 9);
  document.root().flag("loud", false);
  std::vector<std::string> lines;
  for (const auto& key : document.resolved()) {
    lines.push_back(key.path + "=" + key.value + " " + std::to_string(key.line));
  }
  EXPECT_THAT(lines, ElementsAre("sink.patience=2s 3", "a=1 1", "loud=false 0"));
  EXPECT_EQ(document.resolved()[0].allowed,
            "a duration from 0s to 9s with a unit (ns, us, ms, s, m, h)");
  EXPECT_EQ(document.resolved()[0].fallback, "");
  EXPECT_EQ(document.resolved()[2].fallback, "false");
}

class Files : public testing::Test {
 protected:
  ~Files() override { std::remove(path_.c_str()); }
  void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }

  std::string path_ = testing::TempDir() + "collage_document_" + std::to_string(::getpid());
};

std::string load_error(const std::string& path) {
  try {
    Document::load(path);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST_F(Files, AFileIsLoadedAndNamedInItsErrors) {
  write("workers: x\n");
  const Document document = Document::load(path_);
  EXPECT_EQ(document.root().text("workers"), "x");
  write("- a\n");
  EXPECT_EQ(load_error(path_), path_ + ":1:1: is not a mapping, expected keys with values");
}

TEST_F(Files, AFileThatCannotBeReadIsNamed) {
  EXPECT_EQ(load_error(path_), path_ + ": cannot be read: No such file or directory");
  EXPECT_EQ(load_error("/"), "/: cannot be read: it is a directory");
}

TEST_F(Files, AFileThatIsTooLongIsRefused) {
  write("key: " + std::string(1 << 20, 'a'));
  EXPECT_EQ(load_error(path_), path_ + ": is too long, expected at most 1048576 bytes");
}

}  // namespace
}  // namespace runtime
