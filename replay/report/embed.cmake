# Writes OUT: a source file that holds PAGE and CHART as strings.
file(READ ${PAGE} page)
file(READ ${CHART} chart)
file(WRITE ${OUT} "#include <string_view>\n"
  "namespace replay::report {\n"
  "extern const std::string_view kPage;\nextern const std::string_view kChart;\n"
  "const std::string_view kPage = R\"page~(")
file(APPEND ${OUT} "${page}" ")page~\";\nconst std::string_view kChart = R\"chart~(")
file(APPEND ${OUT} "${chart}" ")chart~\";\n}\n")
