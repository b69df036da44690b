# Everything that the flake builds of our own, from the package set that it is given:
# - outputs: what has a name in `packages`;
# - programs: those of them that `nix run` knows;
# - sources, checked: what nix/checks.nix runs its tools on.
{ pkgs, revision }:
let
  inherit (pkgs) lib;
  fs = lib.fileset;
  inherit ((lib.importTOML ../Cargo.toml).workspace.package) version;

  # Only what cargo reads: no change of other documents, of the web or of a manifest compiles anything.
  rustFiles = fs.unions [
    ../Cargo.toml
    ../Cargo.lock
    # A unit test holds it and the code together.
    ../docs/configuration.md
    ../src
    ../tests/acceptance
    (fs.difference ../tests/bench (fs.maybeMissing ../tests/bench/peers/express/node_modules))
    ../tests/chaos
    ../tests/fuzz
    ../tests/observability
    ../tests/stack
  ];
  rust = {
    inherit version;
    src = fs.toSource {
      root = ../.;
      fileset = rustFiles;
    };
    cargoLock.lockFile = ../Cargo.lock;
  };

  # The C library inside: an image then needs nothing but the program. nixpkgs says the opposite in cargo's configuration,
  # over which the environment wins.
  linkedStatically = {
    buildInputs = [ pkgs.glibc.static ];
    env.RUSTFLAGS = "-C target-feature=+crt-static";
  };

  # One build for all programs, since they share nearly all of their dependencies.
  built = pkgs.rustPlatform.buildRustPackage (
    rust
    // linkedStatically
    // {
      pname = "shopmicro-programs";
      # The profile in Cargo.toml.
      buildType = "dist";
      # Optimised for what the benchmark asks. The compiler knows functions by names that contain their crates' features, the
      # target's name and whoever calls it for cargo: `make profile` builds the same packages for a target that is named,
      # and calls it itself. What our programs are made of is in the SBOM.
      env.RUSTFLAGS = "${linkedStatically.env.RUSTFLAGS} -C profile-use=${../src/dist.profdata}";
      auditable = false;
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

  # Each program apart, so that an image carries its own alone. The build fails where it still needs another path: the
  # static C library names its own directory, which it does without.
  alone =
    name: attributes: script:
    pkgs.runCommandCC "${name}-${version}" (
      attributes
      // {
        nativeBuildInputs = [ pkgs.nukeReferences ] ++ attributes.nativeBuildInputs or [ ];
        allowedReferences = [ ];
        meta.mainProgram = name;
      }
    ) "mkdir -p $out/bin\n${script}\nnuke-refs $out/bin/${name}";
  program = name: alone name { } "cp ${built}/bin/${name} $out/bin";

  backend = program "shopmicro-backend";
  ml-service = program "shopmicro-ml-service";
  stack = program "stack";

  healthcheck =
    alone "healthcheck" (linkedStatically // { nativeBuildInputs = [ pkgs.rustc ]; })
      "rustc --edition 2024 -C opt-level=s -C panic=abort -C strip=symbols $RUSTFLAGS -o $out/bin/healthcheck ${./healthcheck.rs}";

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
        sh ${./npm-steps} pack ${lib.escapeShellArg "${name}@${version}"} $out
      '';

  # Something made of the pages' sources, once their dependencies are there.
  npm =
    attributes:
    pkgs.stdenvNoCC.mkDerivation (
      {
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
          sh ${./npm-steps} install "$lockPath"
          patchShebangs node_modules
          runHook postConfigure
        '';
      }
      // attributes
    );

  web = npm {
    pname = "shopmicro-web";
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
      revision
      backend
      ml-service
      web
      healthcheck
      ;
  };

  application =
    name: description: runtimeInputs: text:
    pkgs.writeShellApplication {
      inherit name runtimeInputs text;
      meta = { inherit description; };
    };
  programs = {
    default =
      application "shopmicro"
        "the whole shop on this machine with all that watches it, without containers"
        (
          [
            backend
            ml-service
            stack
          ]
          ++ import ./stack-programs.nix pkgs
        )
        ''exec stack run --observability --config ${../config} --web ${web} "$@"'';
    load = application "shopmicro-load" "customers for a shop that runs" [
      stack
    ] ''exec stack load "$@"'';
    break = application "shopmicro-break" "an incident in the shop that `nix run` started" [
      stack
    ] ''exec stack break "$@"'';
    mend = application "shopmicro-mend" "the end of every incident" [ stack ] ''exec stack mend "$@"'';
    push = application "shopmicro-push" "the images into a registry, such as registry.example/shop" [
      pkgs.gzip
      pkgs.skopeo
    ] ''sh ${./push-images} ${images.all} "$@"'';
  };
in
{
  outputs = {
    inherit
      backend
      ml-service
      web
      stack
      acceptance
      ;
    inherit (programs) default;
    images = images.all;
  }
  // lib.mapAttrs' (name: lib.nameValuePair "image-${name}") images.each;

  inherit
    programs
    rust
    rustFiles
    built
    npm
    images
    ;
}
