# What must hold of the flake, evaluated against the stand-in. The result is
# { promises = { "a sentence" = whether it holds; }; scripts = { test = its Python; }; }
let
  inherit (builtins)
    all
    attrNames
    attrValues
    concatMap
    deepSeq
    elem
    filter
    fromJSON
    isString
    mapAttrs
    readFile
    split
    ;
  nixpkgs = import ./standin.nix;
  inherit (nixpkgs) lib;
  system = "x86_64-linux";
  pkgs = nixpkgs.legacyPackages.${system};

  flake = import ../../flake.nix;
  self = flake.outputs { inherit self nixpkgs; };
  packages = self.packages.${system};
  lock = fromJSON (readFile ../../flake.lock);
  lines = text: filter isString (split "\n" text);

  # The options of the modules, filled with `settings` or their defaults, and what each module makes of them.
  services = [
    "backend"
    "frontend"
    "ml-service"
    "postgresql"
    "redis"
  ];
  evaluate =
    settings:
    let
      modules = lib.genAttrs services (
        name: import (../../nix/modules + "/${name}.nix") self { inherit config lib pkgs; }
      );
      fill =
        where: option: given:
        if option.type given then given else throw "${where} is given a value of the wrong type";
      config.services.shopmicro = lib.genAttrs services (
        service:
        let
          options = modules.${service}.options.services.shopmicro.${service};
          given = settings.${service} or { };
          unknown = filter (name: !options ? ${name}) (attrNames given);
        in
        if unknown != [ ] then
          throw "${service} has no option ${toString unknown}"
        else
          mapAttrs (name: option: fill "${service}.${name}" option (given.${name} or option.default)) options
      );
    in
    # All of the settings, since a unit may mention one only by the name of a file.
    deepSeq config (mapAttrs (_: module: module.config) modules);

  applianceModule = import ../../nix/modules/appliance.nix self { inherit lib; };
  appliance = evaluate applianceModule.services.shopmicro;
  withPassword = evaluate {
    backend = {
      enable = true;
      postgresUrlFile = "/run/keys/postgres-url";
    };
  };
  disabled = evaluate { };
  unit = name: appliance.${name}.systemd.services."shopmicro-${name}";

  images = lib.genAttrs [ "backend" "ml-service" "frontend" ] (name: packages."image-${name}");
  settingsOf = text: filter (line: builtins.match "[[:space:]]*(#.*)?" line == null) (lines text);

  npm = import ../../nix/npm-deps.nix (
    { name, version, integrity }:
    "/${name}@${version}"
  );
  webLock = lib.importJSON ../../web/package-lock.json;
  example = npm {
    lockfileVersion = 3;
    packages = {
      "".name = "project";
      "node_modules/a/node_modules/@b/c" = {
        version = "1.0.0";
        integrity = "sha512-x";
      };
      "node_modules/alias" = {
        name = "real";
        version = "2.0.0";
        integrity = "sha512-y";
      };
      "node_modules/bundled".inBundle = true;
      "node_modules/mac" = {
        version = "1.0.0";
        integrity = "sha512-z";
        os = [ "darwin" ];
      };
    };
  };
  vmTests = self.checks.${system};
in
{
  promises = {
    "the flake has at most 100 lines" = builtins.length (lines (readFile ../../flake.nix)) <= 101;
    "nixpkgs is its one input, locked to one revision of nixos-26.05" =
      attrNames flake.inputs == [ "nixpkgs" ]
      && attrNames lock.nodes.root.inputs == [ "nixpkgs" ]
      && lock.nodes.nixpkgs.original.ref == "nixos-26.05"
      && builtins.match "[0-9a-f]{40}" lock.nodes.nixpkgs.locked.rev != null
      && builtins.match "sha256-.{43}=" lock.nodes.nixpkgs.locked.narHash != null;
    "every output evaluates, for both systems" = all (output: deepSeq output true) [
      self.packages
      self.apps
      self.devShells
      self.formatter
      (mapAttrs (_: mapAttrs (_: test: test.testScript)) self.checks)
      (mapAttrs (_: configuration: builtins.length configuration.modules) self.nixosConfigurations)
      (mapAttrs (_: module: module.key) self.nixosModules)
      (attrNames (self.overlays.default pkgs pkgs).shopmicro)
    ];
    "the packages are those that the documents name" =
      attrNames packages == [
        "acceptance"
        "backend"
        "default"
        "image-backend"
        "image-frontend"
        "image-ml-service"
        "images"
        "ml-service"
        "stack"
        "web"
      ];

    "the images are those that the manifests ask for" =
      mapAttrs (_: image: "${image.image}:${image.tag}") images == {
        backend = "shopmicro-backend:latest";
        ml-service = "shopmicro-ml-service:latest";
        frontend = "shopmicro-frontend:latest";
      };
    "no image runs as root" = all (image: image.config.User == "65532:65532") (attrValues images);
    "the images' ports are the contract's" =
      mapAttrs (_: image: attrNames image.config.ExposedPorts) images == {
        backend = [ "3001/tcp" ];
        ml-service = [ "3002/tcp" ];
        frontend = [ "8080/tcp" ];
      };
    "a service's image serves, unless it is told otherwise, and checks its own health" =
      all
        (
          name:
          let
            inherit (images.${name}) config;
          in
          config.Cmd == [ "serve" ]
          && config.Healthcheck.Test == [ "CMD" ] ++ config.Entrypoint ++ [ "healthcheck" ]
        )
        [
          "backend"
          "ml-service"
        ];

    "a lock's packages point at their tarballs" =
      mapAttrs (_: entry: entry.resolved or null) example.packages == {
        "" = null;
        "node_modules/a/node_modules/@b/c" = "file:/@b/c@1.0.0";
        "node_modules/alias" = "file:/real@2.0.0";
        "node_modules/bundled" = null;
        "node_modules/mac" = null;
      };
    "the web's own lock can be fetched, and keeps every hash" =
      mapAttrs (_: entry: removeAttrs entry [ "resolved" ]) (npm webLock).packages == webLock.packages;

    "deployment.conf of the modules is the image's, but for its addresses" =
      settingsOf (
        import ../../nix/deployment-conf.nix {
          listen = "8080";
          backends = [ "backend:3001" ];
          web = "/usr/share/nginx/html";
        }
      ) == settingsOf (readFile ../../config/nginx/deployment.conf);
    "every module evaluates as a whole" = deepSeq appliance true;
    "a module that is not enabled defines nothing" = all (config: config == { }) (attrValues disabled);
    "the appliance runs every service, and opens the shop's port alone" =
      attrNames applianceModule.services.shopmicro == services
      && all (service: service.enable) (attrValues applianceModule.services.shopmicro)
      && applianceModule.networking.firewall.allowedTCPPorts == [ 80 ];
    "the appliance's services find one another" =
      (unit "backend").environment == {
        NODE_ENV = "development";
        HOST = "127.0.0.1";
        PORT = "3001";
        POSTGRES_URL = "postgresql:///shopmicro?host=/run/postgresql&user=shopmicro";
        REDIS_URL = "redis://127.0.0.1:6379";
        ML_SERVICE_URL = "http://127.0.0.1:3002";
      }
      &&
        (unit "ml-service").environment == {
          FLASK_ENV = "development";
          HOST = "127.0.0.1";
          PORT = "3002";
          REDIS_URL = "redis://127.0.0.1:6379";
          BACKEND_URL = "http://127.0.0.1:3001";
        };
    "the backend migrates, then seeds, then serves" =
      map (command: builtins.elemAt (split " " command) 2) (
        (unit "backend").serviceConfig.ExecStartPre ++ [ (unit "backend").serviceConfig.ExecStart ]
      ) == [
        "migrate"
        "seed"
        "serve"
      ];
    "a database's URL with a password stays out of the store" =
      let
        backend = withPassword.backend.systemd.services.shopmicro-backend;
      in
      !backend.environment ? POSTGRES_URL
      && backend.environment.POSTGRES_URL_FILE == "%d/postgres-url"
      && backend.serviceConfig.LoadCredential == [ "postgres-url:/run/keys/postgres-url" ];
    "each of our units is confined, and does not run as root" =
      all
        (
          name:
          let
            inherit (unit name) serviceConfig;
          in
          serviceConfig.ProtectSystem == "strict"
          && serviceConfig.NoNewPrivileges
          && (serviceConfig.DynamicUser or false || serviceConfig.User or "root" != "root")
        )
        [
          "backend"
          "frontend"
          "ml-service"
        ];
    "there is a VM test, and each is named as its file" =
      vmTests != { } && all (name: vmTests.${name}.test == name) (attrNames vmTests);
  };

  scripts = mapAttrs (_: test: test.testScript) vmTests;
}
