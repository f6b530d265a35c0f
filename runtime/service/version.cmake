# Writes the version and commit of the checkout SOURCE into FOLDER, if they have changed:
# version_generated.h for the programs, version.cmake for the packages.
#
#   cmake -DFOLDER=... -DSOURCE=... -DBASE=0.2.0 [-DREVISION=...] [-DVERSION=...] -P version.cmake
#
# BASE is the version that the commits since the last release lead to.  Versions are legal for
# Debian and increase from commit to commit, so that apt upgrades from one to the next:
#
#   0.2.0~179.g934a27b4c1d2              179 commits, and no tag v0.2.0 among them
#   0.2.0                                the commit with the tag v0.2.0
#   0.2.0+3.g934a27b4c1d2                3 commits after it, while BASE is still 0.2.0
#   0.2.0~0.20261129055613.g934a27b4c1d2 a shallow clone or an archive, which cannot count commits:
#                                        the time of the commit; below every counted version
#   0.2.0                                a copy without any trace of git
#
# and all of git's with ".dirty" if a file has been changed.  VERSION replaces the result; REVISION
# is the commit to name instead of HEAD.
cmake_minimum_required(VERSION 3.25)
set(ENV{GIT_OPTIONAL_LOCKS} 0)  # A build must not disturb a git command of its user.

# Runs git; `out` is its output, or empty if it fails.
function(git out)
  execute_process(COMMAND git -C ${SOURCE} ${ARGN}
    OUTPUT_VARIABLE text OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
  if(failed)
    set(text "")
  endif()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# `out` is the version of a commit.  `described` is what git describe --long says of it:
# "v0.2.0-3-g934a27b4c1d2", or empty; `count` is empty if it is unknown; `time` is in Unix seconds.
function(compose out described count time commit)
  set(ENV{SOURCE_DATE_EPOCH} ${time})  # What string(TIMESTAMP) takes instead of the clock.
  if(described MATCHES "^v([0-9]+\\.[0-9]+\\.[0-9]+)-([0-9]+)-g" AND
     CMAKE_MATCH_1 VERSION_GREATER_EQUAL BASE)
    set(version ${CMAKE_MATCH_1})
    if(CMAKE_MATCH_2 GREATER 0)
      string(APPEND version "+${CMAKE_MATCH_2}.g${commit}")
    endif()
  elseif(count STREQUAL "")
    string(TIMESTAMP stamp "%Y%m%d%H%M%S" UTC)
    set(version "${BASE}~0.${stamp}.g${commit}")
  else()
    set(version "${BASE}~${count}.g${commit}")
  endif()
  set(${out} "${version}" PARENT_SCOPE)
endfunction()

if(NOT DEFINED REVISION OR REVISION STREQUAL "")
  set(REVISION HEAD)
endif()
set(commit unknown)
set(version ${BASE})
set(time "")
file(READ ${CMAKE_CURRENT_LIST_DIR}/archived_commit archived)  # Filled in by git archive.
git(inside rev-parse --is-inside-work-tree)
git(above rev-parse --show-cdup)  # Not empty in a copy of the tree within another repository.
git(commit_of_head rev-parse --short=12 ${REVISION}^0)
if(inside STREQUAL "true" AND above STREQUAL "" AND commit_of_head)
  set(commit ${commit_of_head})
  git(time show -s --format=%ct ${REVISION}^0)
  git(described describe --tags --long --match v[0-9]* --exclude *[!v0-9.]* ${REVISION})
  git(shallow rev-parse --is-shallow-repository)
  set(count "")
  if(shallow STREQUAL "false")
    git(count rev-list --count ${REVISION})
  endif()
  compose(version "${described}" "${count}" "${time}" ${commit})
  git(changed status --porcelain --untracked-files=no)
  if(NOT changed STREQUAL "")
    string(APPEND version ".dirty")
    string(APPEND commit "+")
  endif()
elseif(archived MATCHES "^([0-9a-f]+) ([0-9]+) ([^\n]*)")
  string(SUBSTRING ${CMAKE_MATCH_1} 0 12 commit)
  set(time ${CMAKE_MATCH_2})
  set(described ${CMAKE_MATCH_3})
  if(described MATCHES "^v[0-9.]+$")  # Without --long: the tagged commit itself.
    string(APPEND described "-0-g${commit}")
  endif()
  compose(version "${described}" "" "${time}" ${commit})
endif()
if(DEFINED VERSION AND NOT VERSION STREQUAL "")
  set(version ${VERSION})
endif()
if(NOT version MATCHES "^[0-9][A-Za-z0-9.+~]*$")
  message(FATAL_ERROR
    "the version ${version} is not legal for Debian: a digit, then letters, digits and .+~")
endif()
if(time STREQUAL "")  # Packages need one, the same until a file of the copy changes hands.
  file(TIMESTAMP ${SOURCE}/CHANGELOG.md time "%s" UTC)
endif()

file(CONFIGURE OUTPUT ${FOLDER}/runtime/service/version_generated.h CONTENT
"#define COLLAGE_VERSION \"${version}\"
#define COLLAGE_COMMIT \"${commit}\"
" @ONLY)
file(CONFIGURE OUTPUT ${FOLDER}/version.cmake CONTENT
"set(COLLAGE_VERSION_TEXT \"${version}\")
set(COLLAGE_COMMIT \"${commit}\")
set(COLLAGE_COMMIT_TIME ${time})
" @ONLY)
