# Stands in for nixpkgs where it cannot be fetched: each function that the flake calls returns a record of
# what it was given, and takes no argument that the flake should not give. Types are predicates.
let
  inherit (builtins)
    all
    attrNames
    isString
    listToAttrs
    map
    ;

  derivation =
    name: attributes:
    attributes
    // {
      type = "derivation";
      inherit name;
      # As a build would, whoever uses it needs all that it is made of.
      outPath = builtins.deepSeq attributes "/nix/store/standin-${name}";
    };
  program =
    name:
    derivation name {
      pname = name;
      version = "1";
      meta.mainProgram = name;
    };
  moduleSystem = import ./module-system.nix;

  # Attributes of a derivation; nixpkgs takes any, and so would not see that one is misspelt.
  knownAttributes = [
    "allowedReferences"
    "buildInputs"
    "buildPhase"
    "configurePhase"
    "doCheck"
    "document"
    "env"
    "hardeningDisable"
    "impureEnvVars"
    "installPhase"
    "lock"
    "meta"
    "nativeBuildInputs"
    "outputHash"
    "outputHashMode"
    "passAsFile"
    "pname"
    "src"
    "version"
  ];
  known =
    name: attributes:
    let
      unknown = builtins.filter (attribute: !builtins.elem attribute knownAttributes) (
        attrNames attributes
      );
      listed = all builtins.isList [
        (attributes.buildInputs or [ ])
        (attributes.nativeBuildInputs or [ ])
        (attributes.passAsFile or [ ])
      ];
    in
    if unknown != [ ] then
      throw "${name} is given ${toString unknown}"
    else if !listed then
      throw "${name}: its inputs are no lists"
    else
      derivation name attributes;

  lib = rec {
    inherit (builtins)
      attrNames
      concatMap
      concatStringsSep
      elem
      filter
      mapAttrs
      replaceStrings
      ;
    stringToCharacters =
      text: builtins.genList (index: builtins.substring index 1 text) (builtins.stringLength text);
    versionAtLeast = version: least: builtins.compareVersions version least >= 0;
    toUpper = builtins.replaceStrings (stringToCharacters "abcdefghijklmnopqrstuvwxyz") (
      stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    );
    concatMapStrings = f: list: concatStringsSep "" (map f list);
    filterAttrs = keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
    optionals = condition: list: if condition then list else [ ];
    optionalString = condition: text: if condition then text else "";
    escapeShellArgs = arguments: concatStringsSep " " (map escapeShellArg arguments);
    nameValuePair = name: value: { inherit name value; };
    genAttrs =
      names: f:
      listToAttrs (
        map (name: {
          inherit name;
          value = f name;
        }) names
      );
    mapAttrs' = f: set: listToAttrs (mapAttrsToList f set);
    mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
    optional = condition: value: if condition then [ value ] else [ ];
    unique = builtins.foldl' (found: value: if elem value found then found else found ++ [ value ]) [ ];
    optionalAttrs = condition: set: if condition then set else { };
    removeSuffix =
      suffix: text:
      let
        length = builtins.stringLength text - builtins.stringLength suffix;
      in
      if builtins.substring length (-1) text == suffix then
        builtins.substring 0 length text
      else
        throw "${text} does not end in ${suffix}";
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    splitLines = text: builtins.filter isString (builtins.split "\n" text);
    removePrefix =
      prefix: text:
      let
        length = builtins.stringLength prefix;
      in
      if builtins.substring 0 length text == prefix then builtins.substring length (-1) text else text;
    makeBinPath = paths: builtins.concatStringsSep ":" (map (path: "${path}/bin") paths);
    makeLibraryPath = paths: builtins.concatStringsSep ":" (map (path: "${path}/lib") paths);
    importTOML = file: fromTOML (builtins.readFile file);
    importJSON = file: builtins.fromJSON (builtins.readFile file);
    escapeShellArg = text: "'${text}'";
    strings.sanitizeDerivationName = replaceStrings [ "@" "/" ] [ "-" "-" ];
    fetchers.proxyImpureEnvVars = [ "https_proxy" ];
    getExe' = package: name: "${package}/bin/${name}";
    getExe =
      package:
      "${package}/bin/${package.meta.mainProgram or (throw "${package.name} names no main program")}";

    fileset =
      let
        present = path: if builtins.pathExists path then path else throw "no such file: ${toString path}";
      in
      {
        maybeMissing = path: path;
        unions = concatMap (files: if builtins.isList files then files else [ (present files) ]);
        difference = positive: _: present positive;
        toSource =
          { root, fileset }:
          derivation "source" {
            inherit root;
            files = map toString (if builtins.isList fileset then fileset else [ fileset ]);
          };
      };

    inherit (moduleSystem)
      mkIf
      mkMerge
      mkOverride
      types
      ;
    mkDefault = mkOverride 1000;
    mkForce = mkOverride 50;
    # The order of lines is not looked at.
    mkAfter = lines: lines;
    mkOption = option: { _type = "option"; } // option;
    mkEnableOption =
      what:
      mkOption {
        type = types.bool;
        default = false;
        description = what;
      };
    mkPackageOption =
      pkgs: name: more:
      assert more == { };
      mkOption {
        type = types.package;
        default = pkgs.${name};
        description = name;
      };
    literalMD = text: text;
    literalExpression = text: text;
    nixosSystem =
      { modules }:
      {
        inherit modules;
        config.system.build = {
          vm = program "run-shopmicro-vm";
          images = genAttrs [ "iso" "qemu" "qemu-efi" "raw-efi" ] (variant: derivation variant { });
        };
        options.services.shopmicro = { };
      };
  };

  packages =
    system:
    lib.genAttrs [
      "cacert"
      "coreutils"
      "cargo"
      "clippy"
      "deadnix"
      "go"
      "grafana"
      "grafana-alloy"
      "grafana-loki"
      "gzip"
      "jq"
      "kubectl"
      "kustomize"
      "mimir"
      "nix"
      "nixfmt"
      "nixfmt-tree"
      "nodejs"
      "nukeReferences"
      "patchelf"
      "pcre2"
      "postgresql_15"
      "prometheus-nginx-exporter"
      "prometheus-postgres-exporter"
      "prometheus-redis-exporter"
      "python3"
      "redis"
      "rustc"
      "rustfmt"
      "shellcheck"
      "skopeo"
      "statix"
      "tempo"
      "util-linux"
      "zlib"
    ] program
    // {
      inherit lib;
      stdenv = {
        hostPlatform = {
          inherit system;
          isx86_64 = system == "x86_64-linux";
        };
        cc = program "gcc-wrapper" // {
          cc = program "gcc";
        };
      };
      glibc = program "glibc" // {
        static = program "glibc-static";
      };
      prometheus = program "prometheus" // {
        cli = program "prometheus-cli";
      };
      runtimeShell = "/nix/store/standin-bash/bin/bash";
      nginx = program "nginx" // {
        override =
          { modules }:
          {
            overrideAttrs =
              change:
              let
                changed = change { };
                allowed = {
                  pname = null;
                  buildInputs = null;
                  configureFlags = null;
                };
              in
              if removeAttrs changed (attrNames allowed) == { } then
                derivation changed.pname changed
              else
                throw "nginx is changed in more than the stand-in knows";
          };
      };

      runCommand =
        name: attributes: script:
        known name attributes // { inherit script; };
      runCommandCC =
        name: attributes: script:
        known name attributes // { inherit script; };
      closureInfo = { rootPaths }: derivation "closure-info" { inherit rootPaths; };
      writeText = name: text: derivation name { inherit text; };
      writeShellScript = name: text: derivation name { inherit text; };
      writeShellApplication =
        arguments@{
          name,
          runtimeInputs,
          text,
          meta ? { },
        }:
        derivation name (
          arguments
          // {
            meta = {
              mainProgram = name;
            }
            // meta;
          }
        );
      linkFarm = name: entries: derivation name { inherit entries; };
      mkShell = { hardeningDisable, packages }: derivation "shell" { inherit hardeningDisable packages; };
      nixosOptionsDoc =
        { options, transformOptions }:
        {
          optionsCommonMark = derivation "options.md" { inherit options; };
        };

      stdenvNoCC.mkDerivation =
        attributes@{
          pname,
          version,
          src,
          ...
        }:
        known "${pname}-${version}" attributes;
      rustPlatform.buildRustPackage =
        attributes@{
          pname,
          version,
          src,
          cargoLock,
          cargoBuildFlags ? [ ],
          cargoTestFlags ? [ ],
          buildType ? "release",
          auditable ? true,
          ...
        }:
        known "${pname}-${version}" (
          removeAttrs attributes [
            "auditable"
            "cargoLock"
            "cargoBuildFlags"
            "cargoTestFlags"
            "buildType"
          ]
        )
        // {
          inherit
            cargoLock
            cargoBuildFlags
            cargoTestFlags
            buildType
            auditable
            ;
        };
      dockerTools = {
        binSh = derivation "bin-sh" { };
        fakeNss.override = { extraPasswdLines }: derivation "fake-nss" { inherit extraPasswdLines; };
        buildLayeredImage =
          arguments@{
            name,
            tag,
            contents,
            extraCommands,
            config,
          }:
          derivation "${name}.tar.gz" (arguments // { image = name; });
      };
      testers.runNixOSTest =
        arguments@{
          name,
          globalTimeout,
          nodes,
          testScript,
        }:
        derivation "vm-test-${name}" (arguments // { test = name; });
    };

  evalWith =
    more: system: modules:
    let
      nixos = import ./nixos.nix { inherit lib program; };
      arguments = more // {
        inherit lib;
        pkgs = packages system;
      };
    in
    (moduleSystem.evaluate arguments ([ nixos ] ++ modules)).config;
in
{
  inherit lib;
  # What modules make together, on a machine of NixOS.
  evalNixOS = evalWith { };
  # The machines of a test, which know one another.
  evalNodes =
    system: modules:
    let
      nodes = builtins.mapAttrs (
        _: module:
        evalWith { inherit nodes; } system [
          {
            networking.primaryIPAddress = "192.0.2.1";
            nixpkgs.hostPlatform = system;
          }
          module
        ]
      ) modules;
    in
    nodes;
  legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] packages;
}
