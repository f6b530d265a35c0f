# What every package documents: the changelog, and of each program a manual page and a completion.
#
# The programs print their pages (runtime/service/cli_pages.h) once they are built; none is written
# by hand, so none is out of date.  They are installed if they are there: who builds and installs the
# library alone needs none.
set(DOCUMENTS ${CMAKE_BINARY_DIR}/generated/documents)
file(MAKE_DIRECTORY ${DOCUMENTS}/completions)

# The manual page and the completion of a program, for the package `component`.
function(document program component)
  set(manual ${DOCUMENTS}/${program}.1.gz)
  set(completion ${DOCUMENTS}/completions/${program})
  # In a folder without a pipeline.yaml, which would else be the default that the page tells.
  add_custom_command(OUTPUT ${manual} ${completion}
    COMMAND sh -c "$<TARGET_FILE:${program}> --manual-page | gzip -9n > ${manual}"
    COMMAND $<TARGET_FILE:${program}> --bash-completion > ${completion}
    DEPENDS ${program} WORKING_DIRECTORY ${DOCUMENTS} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY COLLAGE_DOCUMENTS ${manual} ${completion})
  install(FILES ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT ${component} OPTIONAL)
  install(FILES ${completion} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
          COMPONENT ${component} OPTIONAL)
endfunction()

# To be called once, after every document().
function(document_changes)
  add_custom_command(OUTPUT ${DOCUMENTS}/changelog.gz
    COMMAND ${CMAKE_COMMAND} -DVERSION_FILE=${CMAKE_BINARY_DIR}/generated/version.cmake
            -DCHANGES=${CMAKE_SOURCE_DIR}/CHANGELOG.md -DMAINTAINER=${CPACK_PACKAGE_CONTACT}
            -DOUT=${DOCUMENTS}/changelog -P ${CMAKE_CURRENT_SOURCE_DIR}/scripts/changelog.cmake
    COMMAND gzip -9nf ${DOCUMENTS}/changelog
    DEPENDS ${CMAKE_SOURCE_DIR}/CHANGELOG.md ${CMAKE_CURRENT_SOURCE_DIR}/scripts/changelog.cmake
            ${CMAKE_CURRENT_SOURCE_DIR}/scripts/changelog.awk collage_commit
            ${CMAKE_BINARY_DIR}/generated/version.cmake
    VERBATIM)
  get_property(documents GLOBAL PROPERTY COLLAGE_DOCUMENTS)
  add_custom_target(collage_documents ALL DEPENDS ${documents} ${DOCUMENTS}/changelog.gz)
endfunction()
