# CHANGELOG.md (https://keepachangelog.com) in the form of Debian's changelogs.
#
#   awk -v version=VERSION -v time=UNIX-SECONDS -v maintainer='NAME <ADDRESS>' -f changelog.awk FILE
#
# Its newest entry is always of `version`, the one that is being packaged: what is unreleased, or
# the release itself, or, between the two, nothing but the number.

function date_of(what,   command, text) {
  command = "date -u -R -d '" what "'"
  command | getline text
  close(command)
  return text
}

function begin(of, date) {
  finish()
  entry = of
  entry_date = date
  items = 0
  printf "collage (%s) bookworm; urgency=medium\n\n", of
}

function finish() {
  print_item()
  if (entry == "") return
  if (items == 0) print "  * No change that users notice."
  printf "\n -- %s  %s\n\n", maintainer, entry_date
}

# An item in lines of at most 78 characters.
function print_item(   words, count, i, line) {
  if (item == "") return
  count = split(item, words, " ")
  line = "  *"
  for (i = 1; i <= count; ++i) {
    if (length(line) + 1 + length(words[i]) > 78) {
      print line
      line = "   "
    }
    line = line " " words[i]
  }
  print line
  item = ""
  ++items
}

# "## Unreleased" or "## 0.1.0 - 2026-11-23"
/^## / {
  of = $2 == "Unreleased" ? version : $2
  if (entry == "" && of != version) begin(version, date_of("@" time))
  begin(of, $2 == "Unreleased" || of == version ? date_of("@" time) : date_of($4))
  next
}
/^### / { print_item(); next }
/^- / { print_item(); item = substr($0, 3); next }
/^  [^ ]/ && item != "" { item = item " " substr($0, 3); next }
/^$/ { print_item() }
END { finish() }
