# What must hold of the modules, each by itself and all of them together on the appliance: the files of modules/, and what
# they have in common.
{
  self,
  nixpkgs,
  system,
}:
let
  inherit (builtins)
    attrValues
    filter
    fromJSON
    head
    isString
    readFile
    split
    ;
  inherit (nixpkgs) lib;
  pkgs = nixpkgs.legacyPackages.${system};

  # Machines, by the modules that they are made of.
  machine =
    modules:
    nixpkgs.evalNixOS system (
      [
        ../../nix/machine.nix
        { nixpkgs.hostPlatform = system; }
      ]
      ++ modules
    );
  appliance = machine [ self.nixosModules.appliance ];
  everyModule = attrValues (removeAttrs self.nixosModules [ "appliance" ]);
  withSecrets = machine (
    everyModule
    ++ [
      {
        services.shopmicro = {
          backend = {
            enable = true;
            postgresUrlFile = "/run/keys/postgres-url";
            admin = {
              email = "admin@shop.example";
              passwordFile = "/run/keys/shop-admin";
            };
          };
          grafana = {
            enable = true;
            adminPasswordFile = "/run/keys/admin-password";
            secretKeyFile = "/run/keys/secret-key";
          };
        };
      }
    ]
  );
  withNothing = machine everyModule;
  shop = removeAttrs appliance.services.shopmicro [ "secrets" ];
  inherit (appliance.systemd) services;
  unit = name: services."shopmicro-${name}";

  # What the files of config/ say.
  matches = pattern: text: filter builtins.isList (split pattern text);
  firsts = pattern: text: map head (matches pattern text);
  lines = text: filter isString (split "\n" text);
  read = file: readFile (../../config + "/${file}");
  # Variables with their defaults: ${NAME:-value} of Loki and Tempo, ${NAME:value} of Mimir.
  variables =
    text:
    builtins.listToAttrs (
      map (found: {
        name = builtins.elemAt found 0;
        value = builtins.elemAt found 2;
      }) (matches "\\$\\{([A-Z_]+):(-?)([^}]*)}" text)
    );
  components = {
    loki = variables (read "loki/loki.yaml");
    mimir = variables (read "mimir/mimir.yaml");
    tempo = variables (read "tempo/tempo.yaml");
  };
  # What the file or the program knows: the rest is for the language's runtime.
  own = environment: removeAttrs environment [ "GOMEMLIMIT" ];
  budgets = fromJSON (read "budgets.json");
  # Units that do something once.
  short = name: name == "postgresql-setup" || services.${name}.serviceConfig.Type or "" == "oneshot";
  sum = builtins.foldl' builtins.add 0;

  # What the files are told of all this.
  context = {
    inherit
      self
      system
      lib
      pkgs
      machine
      appliance
      everyModule
      withSecrets
      withNothing
      shop
      services
      unit
      matches
      firsts
      lines
      read
      components
      own
      budgets
      short
      sum
      ;
  };
  promises = map (file: (import file context).promises) [
    ./modules/appliance.nix
    ./modules/machines.nix
    ./modules/memory.nix
    ./modules/secrets.nix
    ./modules/settings.nix
  ];
in
{
  promises = builtins.foldl' (some: more: some // more) { } promises;
}
