# NixOS' module system, in the small: imports, options with types, mkIf, mkMerge, priorities. What nobody declared
# cannot be defined, a value must be of its option's type, and two definitions that differ are a conflict.
let
  inherit (builtins)
    attrNames
    concatMap
    concatStringsSep
    elemAt
    filter
    foldl'
    genericClosure
    head
    isAttrs
    isBool
    isFunction
    isInt
    isList
    isPath
    isString
    length
    listToAttrs
    map
    mapAttrs
    removeAttrs
    ;
  all = builtins.all;

  is = kind: value: isAttrs value && value._type or null == kind;
  imap = f: list: builtins.genList (index: f index (elemAt list index)) (length list);
  unique = foldl' (known: name: if builtins.elem name known then known else known ++ [ name ]) [ ];

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };

  # The sets of a definition. Conditions move to what is inside, so that names are known before conditions are.
  sets =
    definition:
    if is "if" definition then
      map (mapAttrs (_: mkIf definition.condition)) (sets definition.content)
    else if is "merge" definition then
      concatMap sets definition.contents
    else if is "override" definition then
      map (mapAttrs (_: mkOverride definition.priority)) (sets definition.content)
    else
      [ definition ];

  # The values of a definition, with their priorities.
  values =
    definition:
    if is "if" definition then
      if definition.condition then values definition.content else [ ]
    else if is "merge" definition then
      concatMap values definition.contents
    else if is "override" definition then
      map (value: value // { inherit (definition) priority; }) (values definition.content)
    else
      [
        {
          priority = 100;
          value = definition;
        }
      ];
  strongest =
    definitions:
    let
      found = concatMap values definitions;
      priority = foldl' (
        least: { priority, ... }: if priority < least then priority else least
      ) 9999 found;
    in
    map ({ value, ... }: value) (filter (definition: definition.priority == priority) found);

  named = name: concatMap (set: if set ? ${name} then [ set.${name} ] else [ ]);

  # A type knows how to merge definitions, of which there is at least one.
  scalar = name: check: {
    inherit name;
    merge =
      where: definitions:
      let
        given = strongest definitions;
        value = head given;
      in
      if !check value then
        throw "${where} is not of type ${name}"
      else if !all (other: other == value) given then
        throw "${where} has definitions that differ"
      else
        value;
  };

  types = rec {
    str = scalar "str" isString;
    bool = scalar "bool" isBool;
    int = scalar "int" isInt;
    ints.positive = scalar "ints.positive" (value: isInt value && value > 0);
    port = scalar "port" (value: isInt value && value >= 0 && value < 65536);
    path = scalar "path" (value: isPath value || builtins.match "/.*" (toString value) != null);
    package = scalar "package" (value: isAttrs value && value ? outPath);
    enum = allowed: scalar "enum" (value: builtins.elem value allowed);
    strMatching =
      pattern: scalar "strMatching" (value: isString value && builtins.match pattern value != null);
    atom = scalar "atom" (value: isString value || isInt value || isBool value || isPath value);
    lines = {
      name = "lines";
      merge =
        where: definitions:
        concatStringsSep "\n" (map (line: str.merge where [ line ]) (strongest definitions));
    };
    nullOr = type: {
      name = "nullOr ${type.name}";
      merge =
        where: definitions:
        let
          given = strongest definitions;
        in
        if all isNull given then
          null
        else if builtins.any isNull given then
          throw "${where} has definitions that differ"
        else
          type.merge where given;
    };
    either = one: other: {
      name = "either";
      merge =
        where: definitions:
        let
          attempt = builtins.tryEval (builtins.deepSeq (one.merge where definitions) true);
        in
        if attempt.success then one.merge where definitions else other.merge where definitions;
    };
    listOf = type: {
      name = "listOf ${type.name}";
      merge =
        where: definitions:
        concatMap (
          list:
          if isList list then
            imap (index: value: type.merge "${where}[${toString index}]" [ value ]) list
          else
            throw "${where} is not a list"
        ) (strongest definitions);
    };
    nonEmptyListOf =
      type:
      let
        list = listOf type;
      in
      list
      // {
        merge =
          where: definitions:
          let
            merged = list.merge where definitions;
          in
          if merged == [ ] then throw "${where} is empty" else merged;
      };
    attrsOf = type: {
      name = "attrsOf ${type.name}";
      merge =
        where: definitions:
        let
          given = concatMap sets (strongest definitions);
        in
        if !all isAttrs given then
          throw "${where} is not a set"
        else
          listToAttrs (
            concatMap (
              name:
              # What is under a false condition is not there.
              if concatMap values (named name given) == [ ] then
                [ ]
              else
                [
                  {
                    inherit name;
                    value = type.merge "${where}.${name}" (named name given);
                  }
                ]
            ) (unique (concatMap attrNames given))
          );
    };
    submodule = { options }: {
      name = "submodule";
      merge = where: definitions: configuration where options (concatMap sets (strongest definitions));
    };
    # Whatever merges by what it is.
    anything = {
      name = "anything";
      merge =
        where: definitions:
        let
          given = strongest definitions;
          type =
            if all isAttrs given then
              attrsOf anything
            else if all isList given then
              listOf anything
            else
              atom;
        in
        type.merge where given;
    };
    # A setting of a systemd unit.
    setting = {
      name = "setting";
      merge =
        where: definitions:
        (if all isList (strongest definitions) then listOf atom else atom).merge where definitions;
    };
  };

  # The options, filled with what is defined or their defaults.
  configuration =
    where: options: definitions:
    let
      unknown = filter (name: !options ? ${name}) (concatMap attrNames definitions);
      fill =
        name: option:
        let
          here = "${where}.${name}";
          given = named name definitions;
        in
        if is "option" option then
          if concatMap values given != [ ] then
            option.type.merge here given
          else
            option.default or (throw "${here} is used and not defined")
        else
          configuration here option (concatMap sets given);
    in
    if unknown != [ ] then
      throw "${where} has no option ${concatStringsSep ", " unknown}"
    else
      mapAttrs fill options;

  evaluate =
    arguments: modules:
    let
      item =
        prefix: index: module:
        let
          value =
            let
              loaded = if isPath module then import module else module;
            in
            if isFunction loaded then loaded (arguments // { inherit config; }) else loaded;
        in
        {
          key = value.key or "${prefix}.${toString index}";
          inherit value;
        };
      found = genericClosure {
        startSet = imap (item "module") modules;
        operator = { key, value }: imap (item key) (value.imports or [ ]);
      };
      structured = module: module ? options || module ? config;
      options = foldl' join { } (map ({ value, ... }: value.options or { }) found);
      join =
        one: other:
        if is "option" one || is "option" other then
          throw "an option is declared twice"
        else
          one // mapAttrs (name: value: if one ? ${name} then join one.${name} value else value) other;
      definitions = concatMap (
        { value, ... }:
        sets (
          if structured value then
            value.config or { }
          else
            removeAttrs value [
              "_file"
              "imports"
              "key"
            ]
        )
      ) found;
      config = configuration "config" options definitions;
    in
    {
      inherit config options;
    };
in
{
  inherit
    evaluate
    mkIf
    mkMerge
    mkOverride
    types
    ;
}
