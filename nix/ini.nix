# The sections of an INI file as sets: { section.key = value; }. Numbers and truth values are such in Nix, too.
text:
let
  inherit (builtins)
    elemAt
    filter
    foldl'
    fromJSON
    isString
    match
    split
    ;
  value =
    written: if match "true|false|0|[1-9][0-9]*" written != null then fromJSON written else written;
  read =
    state: line:
    let
      section = match "[[:space:]]*\\[([^]]+)][[:space:]]*" line;
      setting = match "[[:space:]]*([^=;#[:space:]]+)[[:space:]]*=[[:space:]]*(.*[^[:space:]])?[[:space:]]*" line;
    in
    if match "[[:space:]]*([#;].*)?" line != null then
      state
    else if section != null then
      state // { section = elemAt section 0; }
    else if setting != null && state.section != null then
      state
      // {
        sections = state.sections // {
          ${state.section} = state.sections.${state.section} or { } // {
            ${elemAt setting 0} =
              let
                written = elemAt setting 1;
              in
              value (if written == null then "" else written);
          };
        };
      }
    else
      throw "not a line of an INI file: ${line}";
in
(foldl' read {
  section = null;
  sections = { };
} (filter isString (split "\n" text))).sections
