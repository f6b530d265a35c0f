#include "runtime/service/cli_pages.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <sstream>
#include <string_view>
#include <vector>

#include "runtime/service/version.h"

namespace runtime {
namespace {

using Options = std::vector<const CLI::Option*>;
using Apps = std::vector<const CLI::App*>;

constexpr const char* kHidden = "";  // The group of what --help does not show.

Options options_of(const CLI::App& app, bool positional) {
  return app.get_options([positional](const CLI::Option* option) {
    return option->get_group() != kHidden && option->nonpositional() != positional;
  });
}

Apps verbs_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* verb) { return verb->get_group() != kHidden; });
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Text that roff prints as it is: no command at the start of a line, no escape, no hyphen that
// turns into a dash.
std::string escaped(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string in_capitals(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

// "Examples:" alone on its line.
bool is_heading(const std::string& line) {
  return line.size() > 1 && line.ends_with(':') && std::isupper(line[0]) != 0 &&
         std::ranges::count(line, ':') == 1 && std::ranges::count(line, ' ') < 3;
}

// Paragraphs, indented examples and headings of a description or a footer.
std::string prose(const std::string& text) {
  std::string out;
  bool example = false;
  const auto end_example = [&] {
    if (example) out += ".EE\n";
    example = false;
  };
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with("  ")) {
      if (!example) out += ".PP\n.EX\n";
      example = true;
      out += escaped(line) + "\n";
    } else if (line.empty()) {
      end_example();
      if (!out.ends_with(".PP\n") && !out.empty()) out += ".PP\n";
    } else if (end_example(); is_heading(line)) {
      out += ".SH " + in_capitals(escaped(line.substr(0, line.size() - 1))) + "\n";
    } else {
      out += escaped(line) + "\n";
    }
  }
  end_example();
  return out;
}

// The type of an option's value without the list of its choices: "TEXT:{a,b}" is "TEXT".
std::string value_name(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

// The choices of an option that has a fixed set of values; empty for any other.
std::string choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t from = type.find('{'), to = type.find('}');
  if (from == std::string::npos || to == std::string::npos) return {};
  std::string choices = type.substr(from + 1, to - from - 1);
  std::ranges::replace(choices, ',', ' ');
  return choices;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

// "-e, --endpoint TEXT"
std::string heading(const CLI::Option& option) {
  if (!option.nonpositional()) return italic(option.get_name(true));
  std::string names;
  for (const char c : option.get_name(false, true)) {
    names += c;
    if (c == ',') names += ' ';
  }
  return bold(names) + (takes_value(option) ? " " + italic(value_name(option)) : "");
}

std::string entry(const CLI::Option& option) {
  std::string out = ".TP\n" + heading(option) + "\n";
  for (const std::string& line : lines_of(option.get_description())) out += escaped(line) + "\n";
  if (std::isalnum(static_cast<unsigned char>(out[out.size() - 2])) != 0 || out.ends_with("]\n") ||
      out.ends_with(")\n")) {
    out.insert(out.size() - 1, ".");  // Sentences may follow.
  }
  if (option.get_required()) out += "Required.\n";
  if (const std::string choices = choices_of(option); !choices.empty()) {
    out += escaped("One of: " + choices + ".") + "\n";
  }
  if (takes_value(option) && !option.get_default_str().empty()) {
    out += "Default: " + escaped(option.get_default_str()) + "\n";
  }
  if (!option.get_envname().empty()) {
    out += "Else the environment variable " + bold(option.get_envname()) + ".\n";
  }
  return out;
}

std::string entries(const CLI::App& app) {
  std::string out;
  for (const bool positional : {true, false}) {
    for (const CLI::Option* option : options_of(app, positional)) out += entry(*option);
  }
  return out;
}

// "[OPTIONS] folder [more]"
std::string usage(const CLI::App& app) {
  std::string out = "[" + italic("OPTIONS") + "]";
  for (const CLI::Option* option : options_of(app, true)) {
    const std::string name = italic(option->get_name(true));
    out += option->get_required() ? " " + name : " [" + name + "]";
    if (option->get_items_expected_max() > 1) out += " ...";
  }
  return out;
}

// What whatis(1) and apropos(1) find: the first sentence, without its full stop.
std::string summary(const CLI::App& app) {
  std::string text = app.get_description();
  text = text.substr(0, text.find("\n\n"));
  std::ranges::replace(text, '\n', ' ');
  text = text.substr(0, text.find(". "));
  if (text.ends_with('.')) text.pop_back();
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

// An identifier of bash.
std::string function_name(std::string name) {
  std::ranges::replace(name, '-', '_');
  return "_" + name;
}

// One case of the completion: the options of a verb, or of a program without verbs.
std::string completion_case(const std::string& verb, const CLI::App& app) {
  std::string all, with_value, choices;
  for (const CLI::Option* option : options_of(app, false)) {
    std::istringstream names(option->get_name(false, true));
    for (std::string name; std::getline(names, name, ',');) {
      all += " " + name;
      if (!takes_value(*option)) continue;
      with_value += " " + name;
      if (const std::string of = choices_of(*option); !of.empty()) {
        choices += "        " + name + ") words='" + of + "' ;;\n";
      }
    }
  }
  return "    " + (verb.empty() ? "''" : verb) + ")\n      options='" + all + " '\n      valued='" +
         with_value + " '\n" +
         (choices.empty() ? "" : "      case $before in\n" + choices + "      esac\n") +
         "      ;;\n";
}

}  // namespace

std::string manual_page(const CLI::App& app) {
  const std::string& name = app.get_name();
  const Apps verbs = verbs_of(app);
  std::string out = ".\\\" Made from the command line of the program: see its --help.\n.TH " +
                    in_capitals(escaped(name)) + " 1 \"\" \"collage " + escaped(version()) +
                    "\" \"Collage\"\n.SH NAME\n" + escaped(name) + " \\- " + escaped(summary(app)) +
                    "\n.SH SYNOPSIS\n" + bold(name) + " " +
                    (verbs.empty() ? usage(app) : italic("VERB") + " [" + italic("OPTIONS") + "]") +
                    "\n.SH DESCRIPTION\n" + prose(app.get_description());
  if (!verbs.empty()) out += ".SH VERBS\n";
  for (const CLI::App* verb : verbs) {
    out += ".SS " + bold(verb->get_name()) + " " + usage(*verb) + "\n" +
           prose(verb->get_description()) + entries(*verb);
  }
  return out + ".SH OPTIONS\n" + entries(app) + prose(app.get_footer());
}

std::string bash_completion(const CLI::App& app) {
  const std::string& name = app.get_name();
  std::string verbs, cases = completion_case("", app);
  for (const CLI::App* verb : verbs_of(app)) {
    verbs += " " + verb->get_name();
    cases += completion_case(verb->get_name(), *verb);
  }
  // A word in `verb` is looked for among whole words, so the lists have blanks at both ends.
  return "# bash completion of " + name + "\n" + function_name(name) + "() {\n" +
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local verbs='" +
         verbs + " ' verb='' options='' valued='' words='' i\n" +
         R"(  for ((i = 1; i < COMP_CWORD; ++i)); do
    if [[ $verbs == *" ${COMP_WORDS[i]} "* ]]; then verb=${COMP_WORDS[i]}; break; fi
  done
  case $verb in
)" + cases +
         R"(  esac
  COMPREPLY=()
  if [[ -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  elif [[ $valued == *" $before "* ]]; then
    return  # A file name or anything else: bash completes files by itself.
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif [[ -z $verb ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$word")
  fi
} && complete -o default -F )" +
         function_name(name) + " " + name + "\n";
}

std::optional<std::string> requested_page(const CLI::App& app, int argc, char** argv) {
  if (argc != 2) return std::nullopt;
  const std::string_view asked = argv[1];
  if (asked == "--manual-page") return manual_page(app);
  if (asked == "--bash-completion") return bash_completion(app);
  return std::nullopt;
}

}  // namespace runtime
