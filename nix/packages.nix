# Everything that the flake builds, from the package set that it is given.
{ pkgs }:
let
  inherit (pkgs) lib;
  fs = lib.fileset;
  inherit ((lib.importTOML ../Cargo.toml).workspace.package) version;

  # Only what cargo reads: no change of other documents, of the web or of a manifest compiles anything.
  rust = {
    inherit version;
    src = fs.toSource {
      root = ../.;
      fileset = fs.unions [
        ../Cargo.toml
        ../Cargo.lock
        # A unit test holds it and the code together.
        ../docs/configuration.md
        ../src
        ../tests/acceptance
        ../tests/stack
      ];
    };
    cargoLock.lockFile = ../Cargo.lock;
  };

  # One build for all programs, since they share nearly all of their dependencies.
  programs = pkgs.rustPlatform.buildRustPackage (
    rust
    // {
      pname = "shopmicro-programs";
      cargoBuildFlags = [
        "--package=shopmicro-backend"
        "--package=shopmicro-ml-service"
        "--package=shopmicro-stack"
      ];
      # The unit tests; those that need PostgreSQL and Redis belong to the VM tests and to `make test`.
      cargoTestFlags = [
        "--package=shopmicro-backend"
        "--package=shopmicro-ml-service"
        "--package=shopmicro-platform"
        "--lib"
      ];
    }
  );

  # Each program apart, so that an image carries its own alone.
  program =
    name:
    pkgs.runCommand "${name}-${version}" { meta.mainProgram = name; } ''
      install -D ${programs}/bin/${name} $out/bin/${name}
    '';

  backend = program "shopmicro-backend";
  ml-service = program "shopmicro-ml-service";
  stack = program "stack";

  # The acceptance suite as a program, for tests on machines without cargo.
  acceptance = pkgs.rustPlatform.buildRustPackage (
    rust
    // {
      pname = "shopmicro-acceptance";
      nativeBuildInputs = [ pkgs.jq ];
      buildPhase = ''
        runHook preBuild
        cargo test --offline --release --no-run --package=shopmicro-acceptance --message-format=json \
          | jq -r 'select(.target.kind == ["test"] and .executable) | .executable' >executables
        runHook postBuild
      '';
      doCheck = false;
      installPhase = ''
        runHook preInstall
        install -D --target-directory=$out/libexec $(cat executables)
        mkdir $out/bin
        printf '#!%s -e\nfor suite in %s/libexec/*; do "$suite" "$@"; done\n' \
          ${pkgs.runtimeShell} $out >$out/bin/shopmicro-acceptance
        chmod +x $out/bin/shopmicro-acceptance
        runHook postInstall
      '';
      meta.mainProgram = "shopmicro-acceptance";
    }
  );

  # A package of the npm registry, byte for byte: its hash is the one in package-lock.json.
  npmTarball =
    {
      name,
      version,
      integrity,
    }:
    pkgs.runCommand "${lib.strings.sanitizeDerivationName name}-${version}.tgz"
      {
        nativeBuildInputs = [
          pkgs.cacert
          pkgs.nodejs
        ];
        outputHashMode = "flat";
        outputHash = integrity;
        impureEnvVars = lib.fetchers.proxyImpureEnvVars;
      }
      ''
        export HOME=$TMPDIR
        npm pack --silent --ignore-scripts ${lib.escapeShellArg "${name}@${version}"}
        mv -- *.tgz $out
      '';

  web = pkgs.stdenvNoCC.mkDerivation {
    pname = "shopmicro-web";
    inherit version;
    src = fs.toSource {
      root = ../web;
      fileset = fs.difference ../web (
        fs.unions [
          (fs.maybeMissing ../web/dist)
          (fs.maybeMissing ../web/node_modules)
        ]
      );
    };
    lock = builtins.toJSON (import ./npm-deps.nix npmTarball (lib.importJSON ../web/package-lock.json));
    passAsFile = [ "lock" ];
    nativeBuildInputs = [ pkgs.nodejs ];
    configurePhase = ''
      runHook preConfigure
      export HOME=$TMPDIR
      cp "$lockPath" package-lock.json
      npm ci --offline --ignore-scripts
      patchShebangs node_modules
      runHook postConfigure
    '';
    buildPhase = ''
      runHook preBuild
      npm run build
      runHook postBuild
    '';
    installPhase = ''
      runHook preInstall
      cp -r dist $out
      runHook postInstall
    '';
  };

  images = import ./images.nix {
    inherit
      pkgs
      version
      backend
      ml-service
      web
      ;
  };
in
{
  inherit
    backend
    ml-service
    web
    stack
    acceptance
    ;

  # The three images and the script that loads them.
  images = pkgs.linkFarm "shopmicro-images" (
    lib.mapAttrsToList (name: path: {
      name = "${name}.tar.gz";
      inherit path;
    }) images
    ++ [
      {
        name = "load";
        path = ./load-images;
      }
    ]
  );

  # `nix run`: the stack with every program that it starts.
  default = pkgs.writeShellApplication {
    name = "shopmicro";
    runtimeInputs = [
      backend
      ml-service
      stack
      pkgs.nginx
      pkgs.postgresql_15
      pkgs.redis
    ];
    text = ''
      exec stack run --config ${../config} --web ${web} "$@"
    '';
  };
}
// lib.mapAttrs' (name: lib.nameValuePair "image-${name}") images
