# What must hold of packages, images, bills of materials, applications and checks.
{
  self,
  pkgs,
  lib,
}:
let
  inherit (builtins)
    all
    any
    attrNames
    attrValues
    concatStringsSep
    elem
    fromJSON
    head
    length
    mapAttrs
    match
    readFile
    tail
    ;
  system = pkgs.stdenv.hostPlatform.system;
  packages = self.packages.${system};
  apps = self.apps.${system};
  checks = self.checks.${system};
  cargo = lib.importTOML ../../Cargo.toml;
  inherit (cargo.workspace.package) version;

  images = lib.genAttrs [ "backend" "ml-service" "frontend" ] (name: packages."image-${name}");
  configs = mapAttrs (_: image: image.config) images;
  entries = builtins.listToAttrs (
    map (entry: {
      inherit (entry) name;
      value = entry.path;
    }) packages.images.entries
  );
  bill = name: fromJSON entries."${name}.cdx.json".document;
  names = components: map (component: component.name) components;
  unique = list: length list == length (attrNames (lib.genAttrs list (_: null)));

  # The programs of a package that tests/stack looks for, by what it calls them.
  stack = readFile ../stack/commands.rs + readFile ../stack/observability.rs;
  asksFor = program: length (builtins.split "\"${program}\"" stack) > 1;
  programOf = {
    nginx = "nginx";
    postgresql_15 = "postgres";
    redis = "redis-server";
    grafana-loki = "loki";
    mimir = "mimir";
    tempo = "tempo";
    grafana-alloy = "alloy";
    grafana = "grafana";
    prometheus = "prometheus";
    prometheus-nginx-exporter = "nginx-prometheus-exporter";
    prometheus-postgres-exporter = "postgres_exporter";
    prometheus-redis-exporter = "redis_exporter";
  };
  own = [
    "shopmicro-backend"
    "shopmicro-ml-service"
    "stack"
  ];
  onPath = map (package: package.meta.mainProgram) packages.default.runtimeInputs;

  withRevision =
    (import ../../nix/packages.nix {
      inherit pkgs;
      revision = "0123abc";
    }).images.each.backend;
  sbom = import ../../nix/sbom.nix;
  lock = {
    package = [
      {
        name = "shop";
        version = "0.1.0";
        dependencies = [
          "a"
          "b 2.0.0"
        ];
      }
      {
        name = "a";
        version = "1.0.0";
        checksum = "aa";
        dependencies = [ "b 1.0.0" ];
      }
      {
        name = "b";
        version = "1.0.0";
      }
      {
        name = "b";
        version = "2.0.0";
        dependencies = [ "a" ];
      }
      {
        name = "other";
        version = "1.0.0";
      }
    ];
  };

  # What cargo needs of the tree: sources of each derivation that runs it.
  sources = package: map (lib.removePrefix (toString ../.. + "/")) package.src.files;
  rustSources = sources checks.unit-tests;
in
{
  promises = {
    "the packages are those that the documents name" =
      attrNames packages == [
        "acceptance"
        "appliance-iso"
        "appliance-qcow2"
        "appliance-raw-efi"
        "backend"
        "default"
        "image-backend"
        "image-frontend"
        "image-ml-service"
        "images"
        "ml-service"
        "options"
        "stack"
        "web"
      ];
    "the applications are those that the documents name, and each tells what it is" =
      attrNames apps == [
        "break"
        "default"
        "load"
        "mend"
        "push"
        "vm"
      ]
      && all (app: app.type == "app" && app.meta.description != "") (attrValues apps);
    "`nix run` has everything in PATH that the stack starts" =
      all (name: elem name onPath) (own ++ attrNames programOf) && all asksFor (attrValues programOf);
    "the shell for developers has every server, too" = all (
      name: elem name (map (package: package.name) self.devShells.${system}.default.packages)
    ) (attrNames programOf);
    "`nix run` watches the shop, too" =
      match ".*stack run --observability .*" packages.default.text != null;

    "the programs are built by a profile of ours, optimised as a whole" =
      cargo.profile.${checks.unit-tests.buildType}.lto == "fat";
    "the programs are optimised by the profile of `make profile`, under the same names" =
      match ".* -C profile-use=/.*dist\\.profdata" checks.unit-tests.env.RUSTFLAGS != null
      && !checks.unit-tests.auditable
      && all (
        flag: length (builtins.split flag (readFile ../../Makefile)) > 1
      ) checks.unit-tests.cargoBuildFlags;
    "the programs carry the C library inside, and need no other path" =
      match "-C target-feature=\\+crt-static .*" checks.unit-tests.env.RUSTFLAGS != null
      && all (package: package.allowedReferences == [ ]) [
        packages.backend
        packages.ml-service
        packages.stack
      ];
    "a change of documents, pages or manifests compiles nothing" = all (
      file:
      match "(Cargo\\..*|docs/configuration\\.md|src|tests/(acceptance|bench|chaos|fuzz|observability|stack))" file
      != null
    ) rustSources;
    "the workspace's members are all in the sources of cargo" = all (
      member: any (file: lib.hasPrefix "${file}/" "${member}/") rustSources
    ) cargo.workspace.members;

    "the images are those that the manifests ask for" =
      mapAttrs (_: image: "${image.image}:${image.tag}") images == {
        backend = "shopmicro-backend:latest";
        ml-service = "shopmicro-ml-service:latest";
        frontend = "shopmicro-frontend:latest";
      };
    "no image runs as root" = all (config: config.User == "65532:65532") (attrValues configs);
    "the images' ports are the contract's" =
      mapAttrs (_: config: attrNames config.ExposedPorts) configs == {
        backend = [ "3001/tcp" ];
        ml-service = [ "3002/tcp" ];
        frontend = [ "8080/tcp" ];
      };
    "a service's image serves, unless it is told otherwise, and checks its own health" =
      all
        (
          name:
          configs.${name}.Cmd == [ "serve" ]
          && configs.${name}.Healthcheck.Test == [ "CMD" ] ++ configs.${name}.Entrypoint ++ [ "healthcheck" ]
        )
        [
          "backend"
          "ml-service"
        ];
    "the frontend's image asks its own port whether it is well" =
      tail (tail configs.frontend.Healthcheck.Test) == [ "127.0.0.1:8080" ];
    "an image says what it is, and of which commit where that is known" =
      withRevision.config.Labels == {
        "org.opencontainers.image.title" = "shopmicro-backend";
        "org.opencontainers.image.version" = version;
        "org.opencontainers.image.licenses" = cargo.workspace.package.license;
        "org.opencontainers.image.revision" = "0123abc";
      }
      && !configs.backend.Labels ? "org.opencontainers.image.revision";
    "beside the images lie their bills of materials, the version and the loader" =
      attrNames entries == [
        "backend.cdx.json"
        "backend.tar.gz"
        "frontend.cdx.json"
        "frontend.tar.gz"
        "load"
        "ml-service.cdx.json"
        "ml-service.tar.gz"
        "version"
      ]
      && entries.version.text == version;

    "a crate's bill has what it brings along, once, and nothing else" =
      map (component: component.purl) (sbom.cargo lock "shop") == [
        "pkg:cargo/shop@0.1.0"
        "pkg:cargo/a@1.0.0"
        "pkg:cargo/b@2.0.0"
        "pkg:cargo/b@1.0.0"
      ];
    "the hash of npm is written as CycloneDX wants it" =
      sbom.hexOfSha512 "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
      == builtins.hashString "sha512" "";
    "the bills name what the images are made of" =
      elem "axum" (names (bill "backend").components)
      && elem "glibc" (names (bill "backend").components)
      && elem "nalgebra" (names (bill "ml-service").components)
      && !elem "nalgebra" (names (bill "backend").components)
      && elem "react" (names (bill "frontend").components)
      && !elem "vite" (names (bill "frontend").components);
    "no bill names a thing twice" = all (
      name: unique (map (component: component.bom-ref) (bill name).components)
    ) (attrNames images);
    "the closure of an image's programs is in its bill" =
      match ".*/standin-closure-info/store-paths.*" (
        concatStringsSep " " (lib.splitLines entries."frontend.cdx.json".script)
      ) != null;

    "every image's contents are checked, against a budget" = all (
      name:
      match ".*--budget [0-9]+ .*standin-shopmicro-${name}\\.tar\\.gz.*" (
        head (lib.splitLines checks."image-contents-${name}".script)
      ) != null
    ) (attrNames images);
    "the light checks are those that the documents name" = all (name: checks ? ${name}) [
      "clippy"
      "deadnix"
      "kustomize"
      "nixfmt"
      "promtool"
      "rustfmt"
      "shellcheck"
      "statix"
      "unit-tests"
      "web-tests"
    ];
  };

  # Of every derivation that runs cargo the files that it gets.
  rustSources = {
    build = rustSources;
    clippy = sources checks.clippy;
  };
}
