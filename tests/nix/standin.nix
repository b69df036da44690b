# Stands in for nixpkgs where it cannot be fetched: each function that the flake calls returns a record of
# what it was given, and takes no argument that the flake should not give. Types are predicates.
let
  inherit (builtins)
    all
    attrNames
    isAttrs
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
      outPath = "/nix/store/standin-${name}";
    };
  program = name: derivation name { meta.mainProgram = name; };
  moduleSystem = import ./modules.nix;

  lib = rec {
    inherit (builtins)
      attrNames
      concatStringsSep
      elem
      filter
      mapAttrs
      replaceStrings
      ;
    toUpper = builtins.replaceStrings (chars "abcdefghijklmnopqrstuvwxyz") (chars "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    chars = text: builtins.genList (index: builtins.substring index 1 text) (builtins.stringLength text);
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
    importTOML = file: fromTOML (builtins.readFile file);
    importJSON = file: builtins.fromJSON (builtins.readFile file);
    escapeShellArg = text: "'${text}'";
    strings.sanitizeDerivationName = replaceStrings [ "@" "/" ] [ "-" "-" ];
    fetchers.proxyImpureEnvVars = [ "https_proxy" ];
    getExe' = package: name: "${package}/bin/${name}";
    getExe =
      package: "${package}/bin/${package.meta.mainProgram or (throw "${package.name} names no main program")}";

    fileset =
      let
        present = path: if builtins.pathExists path then path else throw "no such file: ${toString path}";
      in
      {
        maybeMissing = path: path;
        unions = map present;
        difference = positive: _: present positive;
        toSource =
          { root, fileset }:
          derivation "source" {
            inherit root;
            files = fileset;
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
      pkgs: name:
      { }:
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
        config.system.build.vm = program "run-shopmicro-vm";
      };
  };

  packages =
    system:
    lib.genAttrs [
      "cacert"
      "coreutils"
      "cargo"
      "clippy"
      "go"
      "jq"
      "kubectl"
      "nixfmt-tree"
      "nodejs"
      "postgresql_15"
      "prometheus-redis-exporter"
      "redis"
      "rustc"
      "rustfmt"
      "tempo"
      "util-linux"
    ] program
    // {
      inherit lib;
      stdenv.hostPlatform.system = system;
      runtimeShell = "/nix/store/standin-bash/bin/bash";
      prometheus = program "prometheus" // {
        cli = program "promtool";
      };
      nginx = program "nginx" // {
        override = { withPerl }: program "nginx";
      };

      runCommand =
        name: environment: script:
        derivation name (environment // { inherit script; });
      writeText = name: text: derivation name { inherit text; };
      writeShellScript = name: text: derivation name { inherit text; };
      writeShellApplication =
        arguments@{
          name,
          runtimeInputs,
          text,
        }:
        derivation name (arguments // { meta.mainProgram = name; });
      linkFarm = name: entries: derivation name { inherit entries; };
      mkShell = { packages }: derivation "shell" { inherit packages; };

      stdenvNoCC.mkDerivation =
        arguments@{
          pname,
          version,
          src,
          lock,
          passAsFile,
          nativeBuildInputs,
          configurePhase,
          buildPhase,
          installPhase,
        }:
        derivation "${pname}-${version}" arguments;
      rustPlatform.buildRustPackage =
        arguments@{
          pname,
          version,
          src,
          cargoLock,
          cargoBuildFlags ? [ ],
          cargoTestFlags ? [ ],
          nativeBuildInputs ? [ ],
          buildPhase ? "",
          installPhase ? "",
          doCheck ? true,
          meta ? { },
        }:
        derivation "${pname}-${version}" arguments;
      dockerTools = {
        caCertificates = derivation "ca-certificates" { };
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
in
{
  inherit lib;
  # What modules make together, on a machine of NixOS.
  evalNixOS =
    system: modules:
    let
      nixos.options = import ./nixos.nix {
        inherit (lib) mkOption types;
        inherit program;
      };
      arguments = {
        inherit lib;
        pkgs = packages system;
      };
    in
    (moduleSystem.evaluate arguments ([ nixos ] ++ modules)).config;
  legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] packages;
}
