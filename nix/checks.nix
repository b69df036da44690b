# What `nix flake check` builds: each file of tests/vm, which is a test as NixOS knows them, and light checks of the tree.
{
  pkgs,
  self,
  packages,
}:
let
  inherit (pkgs) lib;
  fs = lib.fileset;
  inherit (packages) rust images;

  vmTest = file: _: {
    name = lib.removeSuffix ".nix" file;
    value = pkgs.testers.runNixOSTest (import ../tests/vm/${file} { inherit pkgs self; });
  };

  # Runs `script` beside some files of the tree.
  light =
    name: nativeBuildInputs: files: script:
    pkgs.runCommand "shopmicro-${name}"
      {
        inherit nativeBuildInputs;
        src = fs.toSource {
          root = ../.;
          fileset = fs.unions files;
        };
      }
      ''
        export HOME=$TMPDIR
        cp -r "$src" tree && chmod -R u+w tree && cd tree
        ${script}
        touch $out
      '';
  # For whom the whole workspace is, with its tests.
  cargo =
    name: nativeBuildInputs: command:
    pkgs.rustPlatform.buildRustPackage (
      rust
      // {
        pname = "shopmicro-${name}";
        inherit nativeBuildInputs;
        # It warns where C is not optimised, as in a profile for development, and jemalloc's configure fails at a warning.
        hardeningDisable = [ "fortify" ];
        src = fs.toSource {
          root = ../.;
          fileset = fs.unions [
            packages.rustFiles
            ../clippy.toml
            ../docs/architecture.md
            ../rustfmt.toml
          ];
        };
        buildPhase = command;
        doCheck = false;
        installPhase = "touch $out";
      }
    );
  nixFiles = [
    ../flake.nix
    ../nix
    ../tests/machines
    ../tests/nix
    ../tests/vm
  ];
  imageContents =
    name: image:
    lib.nameValuePair "image-contents-${name}" (
      pkgs.runCommand "shopmicro-image-contents-${name}" { nativeBuildInputs = [ pkgs.python3 ]; } ''
        python3 ${./image-contents} --budget ${toString images.budgets.${name}} ${image} | tee $out
      ''
    );
in
lib.mapAttrs' vmTest (builtins.readDir ../tests/vm)
// lib.mapAttrs' imageContents images.each
// {
  rustfmt = cargo "rustfmt" [ pkgs.rustfmt ] "cargo fmt --all --check";
  clippy = cargo "clippy" [ pkgs.clippy ] ''
    cargo clippy --offline --workspace --all-targets -- --deny warnings
  '';
  # Those of the crates that need no server run wherever the programs are built.
  unit-tests = packages.built;

  web-tests = packages.npm {
    pname = "shopmicro-web-tests";
    buildPhase = ''
      # Biome's own program is one for other Linux systems; all else that npm brought is run by Node or linked statically.
      patchelf --set-interpreter "$(cat ${pkgs.stdenv.cc}/nix-support/dynamic-linker)" \
        --set-rpath ${
          lib.makeLibraryPath [
            pkgs.glibc
            pkgs.stdenv.cc.cc
          ]
        } node_modules/@biomejs/cli-linux-*/biome
      npm run lint
      npm run format:check
      npm test
    '';
    nativeBuildInputs = [
      pkgs.nodejs
      pkgs.patchelf
    ];
    installPhase = "touch $out";
  };

  nixfmt = light "nixfmt" [ pkgs.nixfmt ] nixFiles ''
    find . -name '*.nix' -exec nixfmt --check {} +
  '';
  statix = light "statix" [ pkgs.statix ] (nixFiles ++ [ ../statix.toml ]) "statix check .";
  deadnix = light "deadnix" [ pkgs.deadnix ] nixFiles "deadnix --fail --no-lambda-pattern-names .";

  shellcheck =
    light "shellcheck"
      [ pkgs.shellcheck ]
      [
        ../k8s
        ../nix
        ../tests/machines
        ../tests/nix
      ]
      ''
        grep -rlE '^#!.*(sh|bash)$' . | xargs shellcheck --severity=warning
      '';

  kustomize = light "kustomize" [ pkgs.kustomize ] [ ../config ../k8s ] ''
    k8s/overlays/production/new-secrets
    for overlay in k8s/overlays/*/; do
      kustomize build "$overlay" >/dev/null
    done
  '';
  promtool =
    light "promtool"
      [ pkgs.prometheus.cli ]
      [
        ../config
        ../tests/observability/rules
      ]
      ''
        promtool check config --agent config/prometheus/prometheus.yml
        promtool check config --agent config/prometheus/kubernetes.yml
        promtool check rules --lint=all --lint-fatal config/rules/*.yaml
        promtool test rules tests/observability/rules/*.yaml
      '';
}
