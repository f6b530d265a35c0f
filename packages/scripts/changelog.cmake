# Writes OUT, the changelog of the packages in Debian's form, from CHANGES, our CHANGELOG.md, and
# VERSION_FILE (runtime/service/version.cmake).
include(${VERSION_FILE})
# dpkg wants the names of days and months in English.
set(ENV{LC_ALL} C)
execute_process(
  COMMAND awk -v version=${COLLAGE_VERSION_TEXT} -v time=${COLLAGE_COMMIT_TIME}
          -v maintainer=${MAINTAINER} -f ${CMAKE_CURRENT_LIST_DIR}/changelog.awk ${CHANGES}
  OUTPUT_FILE ${OUT} COMMAND_ERROR_IS_FATAL ANY)
