# Writes OUT: a source file that holds PAGE as a string.
file(READ ${PAGE} page)
file(WRITE ${OUT} "#include \"stages/sink/live.h\"\n"
  "namespace stages::sink {\nconst std::string_view kLivePage = R\"page~(")
file(APPEND ${OUT} "${page}" ")page~\";\n}\n")
