# What must hold of the flake, evaluated against the stand-in. The result is
# {
#   promises = { "a sentence" = whether it holds; };
#   vmTests = { test = { nodes = [ machine ]; script = its Python; }; };
#   rustSources = { use = [ file ]; };
#   outputs = { packages = [ name ]; apps = [ name ]; checks = [ name ]; };
# }
let
  inherit (builtins)
    all
    attrNames
    attrValues
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
  self = flake.outputs { inherit self nixpkgs; } // {
    outPath = "/nix/store/standin-self";
  };
  packages = import ./packages.nix { inherit self pkgs lib; };
  modules = import ./modules.nix { inherit self nixpkgs system; };
  lock = fromJSON (readFile ../../flake.lock);
  lines = text: filter isString (split "\n" text);

  sum = builtins.foldl' builtins.add 0;

  settingsOf = text: filter (line: builtins.match "[[:space:]]*(#.*)?" line == null) (lines text);

  npm = import ../../nix/npm-deps.nix (
    {
      name,
      version,
      integrity,
    }:
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
  vmTests = lib.mapAttrs' (file: _: {
    name = lib.removeSuffix ".nix" file;
    value = self.checks.${system}.${lib.removeSuffix ".nix" file};
  }) (builtins.readDir ../vm);
in
{
  promises =
    packages.promises
    // modules.promises
    // {
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
        self.checks
        (mapAttrs (_: configuration: builtins.length configuration.modules) self.nixosConfigurations)
        (mapAttrs (_: module: module.key) self.nixosModules)
        (attrNames (self.overlays.default pkgs pkgs).shopmicro)
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
            listen = [ "8080" ];
            backends = [
              "backend:3001"
              "backend:3001"
            ];
            web = "/usr/share/nginx/html";
          }
        ) == settingsOf (readFile ../../config/nginx/deployment.conf);
      "there is a VM test, and each is named as its file" =
        vmTests != { } && all (name: vmTests.${name}.test == name) (attrNames vmTests);
      "the VM tests are those that the documents name" =
        attrNames vmTests == [
          "backup"
          "distributed"
          "full-stack"
          "kubernetes"
          "security"
          "upgrade"
        ];
      "the machines of the VM tests evaluate, keep every assertion, and fit into a laptop" = all (
        nodes:
        deepSeq nodes (
          all (node: all (assertion: assertion.assertion) node.assertions) (attrValues nodes)
          && sum (map (node: node.virtualisation.memorySize) (attrValues nodes)) <= 6144
        )
      ) (map (test: nixpkgs.evalNodes system test.nodes) (attrValues vmTests));
      "a machine of its own listens to others where others are told to ask it" =
        let
          nodes = nixpkgs.evalNodes system vmTests.distributed.nodes;
          open = name: nodes.${name}.networking.firewall.allowedTCPPorts;
          shop = name: nodes.${name}.services.shopmicro;
        in
        all (port: elem port (open "database")) [
          5432
          6379
        ]
        && open "one" == [ 3001 ]
        && open "two" == [ 3001 ]
        && open "recommender" == [ 3002 ]
        && open "web" == [ 80 ]
        # A name has an address of IPv6, too, where nothing listens.
        && all (address: builtins.match "[a-z]+:[0-9]+" address == null) (shop "web").frontend.backends
        && elem 3100 (open "watch")
        && elem 4318 (open "watch")
        && (shop "one").backend.lokiUrl == "http://watch:3100";
    };

  inherit (packages) rustSources;
  outputs = {
    packages = attrNames self.packages.${system};
    apps = attrNames self.apps.${system};
    checks = attrNames self.checks.${system};
  };
  vmTests = mapAttrs (_: test: {
    nodes = attrNames test.nodes;
    script = test.testScript;
  }) vmTests;
}
