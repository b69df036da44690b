# Bills of materials (CycloneDX 1.6) from the locks: the same locks give the same document, without a time or a number of
# its own. Pure; sbom.jq adds the paths of the store, which are known when an image is built.
let
  inherit (builtins)
    attrValues
    concatStringsSep
    elemAt
    filter
    genericClosure
    head
    isString
    length
    listToAttrs
    map
    match
    replaceStrings
    split
    substring
    ;

  component =
    purl: attributes:
    {
      type = "library";
      bom-ref = purl;
      inherit purl;
    }
    // attributes;

  digits = "0123456789abcdef";
  hexDigit = value: substring value 1 digits;
  alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  valueOf = listToAttrs (
    builtins.genList (value: {
      name = substring value 1 alphabet;
      inherit value;
    }) 64
  );
  # Two characters of base64 are three digits.
  pair =
    text: index:
    let
      at = offset: valueOf.${substring (2 * index + offset) 1 text};
      value = 64 * at 0 + at 1;
      high = value / 256;
      middle = value / 16;
    in
    hexDigit high + hexDigit (middle - 16 * high) + hexDigit (value - 16 * middle);
in
rec {
  # "sha512-<base64>" -> 128 digits
  hexOfSha512 =
    integrity:
    let
      text = head (match "sha512-(.{86})==" integrity);
    in
    substring 0 128 (concatStringsSep "" (builtins.genList (pair text) 43));

  # The crates that `root` brings along by Cargo.lock, which tells neither for which system nor whether for its tests alone:
  # they may be more than what was linked. What was linked stands in the program itself, for `cargo audit bin`.
  cargo =
    lock: root:
    let
      named = name: filter (crate: crate.name == name) lock.package;
      # "name", or "name version" where there are several
      find =
        dependency:
        let
          parts = filter isString (split " " dependency);
          found = named (head parts);
        in
        head (if length parts > 1 then filter (crate: crate.version == elemAt parts 1) found else found);
      node = crate: {
        key = "pkg:cargo/${crate.name}@${crate.version}";
        inherit crate;
      };
      closure = genericClosure {
        startSet = [ (node (head (named root))) ];
        operator = { crate, ... }: map (dependency: node (find dependency)) crate.dependencies or [ ];
      };
    in
    map (
      { key, crate }:
      component key (
        {
          inherit (crate) name version;
        }
        // (
          if crate ? checksum then
            {
              hashes = [
                {
                  alg = "SHA-256";
                  content = crate.checksum;
                }
              ];
            }
          else
            { }
        )
      )
    ) closure;

  # What a program has inside that no lock names.
  inside =
    { pname, version, ... }:
    component "pkg:generic/${pname}@${version}" {
      name = pname;
      inherit version;
    };

  # What the pages are made of: the lock's packages without those that only build and test them.
  npm =
    lock:
    let
      nameOf =
        path:
        let
          parts = filter isString (split "node_modules/" path);
        in
        elemAt parts (length parts - 1);
      of =
        path:
        let
          entry = lock.packages.${path};
          name = entry.name or (nameOf path);
          purl = "pkg:npm/${replaceStrings [ "@" ] [ "%40" ] name}@${entry.version}";
        in
        {
          name = purl;
          value = component purl {
            inherit name;
            inherit (entry) version;
            hashes = [
              {
                alg = "SHA-512";
                content = hexOfSha512 entry.integrity;
              }
            ];
          };
        };
      shipped = filter (path: path != "" && !(lock.packages.${path}.dev or false)) (
        builtins.attrNames lock.packages
      );
    in
    attrValues (listToAttrs (map of shipped));

  document =
    {
      name,
      version,
      components,
    }:
    {
      bomFormat = "CycloneDX";
      specVersion = "1.6";
      version = 1;
      metadata.component = {
        type = "container";
        bom-ref = "shopmicro-${name}";
        name = "shopmicro-${name}";
        inherit version;
        licenses = [ { expression = "MIT OR Apache-2.0"; } ];
      };
      inherit components;
    };
}
