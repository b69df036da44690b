# What must hold of the modules, each by itself and all of them together on the appliance.
{
  self,
  nixpkgs,
  system,
}:
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
    head
    isString
    mapAttrs
    match
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
in
{
  promises = {
    "every module evaluates as a whole" = deepSeq appliance true;
    "a module that is not enabled defines nothing" =
      removeAttrs withNothing [ "services" ] == removeAttrs (machine [ ]) [ "services" ]
      && removeAttrs withNothing.services [ "shopmicro" ] == (machine [ ]).services;
    "the appliance runs every service there is a module of" =
      attrNames shop == filter (
        name:
        !elem name [
          "appliance"
          "secrets"
        ]
      ) (attrNames self.nixosModules)
      && all (service: service.enable) (attrValues shop);
    "the appliance opens the shop's port and Grafana's, and no other" =
      builtins.sort builtins.lessThan appliance.networking.firewall.allowedTCPPorts == [
        80
        3000
      ];
    "what is not open listens on the loopback alone" =
      all (service: service.openFirewall or false || service.host or "127.0.0.1" == "127.0.0.1") (
        concatMap (service: [ service ] ++ lib.optional (service ? exporter) service.exporter) (
          attrValues shop
        )
      )
      && !appliance.services.postgresql.enableTCPIP
      && appliance.services.redis.servers.shopmicro.bind == "127.0.0.1";
    "the appliance's services find one another" =
      own (unit "backend").environment == {
        NODE_ENV = "development";
        HOST = "127.0.0.1";
        PORT = "3001";
        POSTGRES_URL = "postgresql:///shopmicro?host=/run/postgresql&user=shopmicro";
        REDIS_URL = "redis://127.0.0.1:6379";
        ML_SERVICE_URL = "http://127.0.0.1:3002";
        TRUSTED_PROXIES = "127.0.0.0/8,::1";
        LOKI_URL = "http://127.0.0.1:3100";
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = "http://127.0.0.1:4318/v1/traces";
        POSTGRES_POOL_SIZE = "8";
      }
      &&
        own (unit "ml-service").environment == {
          FLASK_ENV = "development";
          HOST = "127.0.0.1";
          PORT = "3002";
          REDIS_URL = "redis://127.0.0.1:6379";
          BACKEND_URL = "http://127.0.0.1:3001";
          SNAPSHOT_DIR = "/var/cache/shopmicro-ml-service";
          MAX_USERS = toString (budgets.shop.ml-service * 30);
          LOKI_URL = "http://127.0.0.1:3100";
          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = "http://127.0.0.1:4318/v1/traces";
        };
    "the backend migrates, then seeds without accounts, then serves" =
      let
        inherit ((unit "backend").serviceConfig) ExecStartPre ExecStart;
        exe = lib.getExe self.packages.${system}.backend;
      in
      ExecStartPre ++ [ ExecStart ] == [
        "${exe} migrate"
        "${pkgs.coreutils}/bin/env NODE_ENV=production ${exe} seed"
        "${exe} serve"
      ];

    # The appliance keeps everything on its own disk.
    "Loki, Mimir and Tempo are told every variable of their files but those of object storage, and no other" = all (
      name:
      attrNames (own services.${name}.environment) == filter (
        variable: match "S3_.*|.*_BUCKET|LOKI_OBJECT_STORE|(MIMIR|TEMPO)_STORAGE" variable == null
      ) (attrNames components.${name})
    ) (attrNames components);
    "what they are told by default is what their files say by default" = all (
      name:
      let
        told = own services.${name}.environment;
      in
      all (variable: told.${variable} == components.${name}.${variable}) (
        # The appliance's rules are in the store.
        filter (
          variable:
          !elem variable [
            "MIMIR_ALERTMANAGER"
            "MIMIR_RULES"
          ]
        ) (attrNames told)
      )
    ) (attrNames components);
    "Alloy is told every variable of its file, and no other" =
      attrNames (own services.alloy.environment) == attrNames (
        lib.genAttrs (firsts "sys.env\\(\"([A-Z_]+)\"\\)" (read "alloy/traces.alloy")) (_: null)
      );
    "Grafana is told every variable of its files" =
      let
        told = attrNames services.grafana.environment;
        settings = appliance.services.grafana.settings;
        replaced = section: name: elem "GF_${lib.toUpper section}_${lib.toUpper name}" told;
        asked = concatMap (
          section:
          concatMap (
            name:
            if replaced section name then
              [ ]
            else
              firsts "\\$__env\\{([A-Z_]+)}" (toString settings.${section}.${name})
          ) (attrNames settings.${section})
        ) (attrNames settings);
        provisioned = concatMap (file: firsts "\\$\\{([A-Z_]+)}" (read "grafana/${file}")) [
          "provisioning/alerting/contact-points.yaml"
          "provisioning/dashboards/dashboards.yaml"
          "provisioning/datasources/datasources.yaml"
        ];
      in
      asked != [ ] && provisioned != [ ] && all (variable: elem variable told) (asked ++ provisioned);
    "grafana.ini becomes Grafana's settings, truth values as such" =
      let
        inherit (appliance.services.grafana) settings;
      in
      settings.security.disable_gravatar
      && settings."auth.anonymous" == { enabled = false; }
      && settings.users.auto_assign_org_role == "Viewer"
      && settings.security.admin_password == "$__env{GRAFANA_ADMIN_PASSWORD}"
      &&
        import ../../nix/ini.nix "# x\n; y\n\n[a.b]\n k = 1 = 2 \nn=08\n[c]\nempty=\nport = 80\n[a.b]\nz = true"
        == {
          "a.b" = {
            k = "1 = 2";
            n = "08";
            z = true;
          };
          c = {
            empty = "";
            port = 80;
          };
        };
    "Mimir is told of its newer ring where it knows it, so that it starts without a network" =
      let
        flags =
          version:
          (machine [
            self.nixosModules.appliance
            {
              services.mimir.package = pkgs.mimir // {
                inherit version;
              };
            }
          ]).services.mimir.extraFlags;
      in
      flags "3.0.6" == [ "-config.expand-env=true" ]
      &&
        flags "3.1.2" == [
          "-config.expand-env=true"
          "-querier.ring.instance-addr=127.0.0.1"
          "-querier.ring.store=inmemory"
        ];
    "what is killed is started again, however often" = all (
      name:
      services.${name}.startLimitIntervalSec == 0
      # nixpkgs has a rule of its own for it.
      || name == "postgresql"
      || short name
    ) (attrNames services);
    "Prometheus asks the jobs of config/, at the ports that they have there" =
      mapAttrs (_: map (address: builtins.elemAt (split ":" address) 2)) shop.prometheus.targets
      == builtins.listToAttrs (
        map
          (found: {
            name = builtins.elemAt found 1;
            value = [ (builtins.elemAt found 0) ];
          })
          (
            matches "targets: \\[[a-z-]+:([0-9]+)]\n  labels: \\{ job: ([a-z-]+) }" (
              read "prometheus/targets.yml"
            )
          )
      );
    "Prometheus reads its targets from the store and writes to Mimir on the machine" =
      let
        text = appliance.services.prometheus.configText;
      in
      matches "files: \\[/nix/store/[^]]*targets.json]" text != [ ]
      && matches "url: http://127.0.0.1:9009/api/v1/push" text != [ ];
    "our services are told variables that docs/configuration.md has" =
      all
        (
          service:
          let
            document = readFile ../../docs/configuration.md;
            # From the service's heading to the next one.
            section = builtins.elemAt (split "\n## " document) (if service == "backend" then 2 else 4);
            known = firsts "\n\\| `([A-Z_]+)` \\|" section;
          in
          known != [ ] && all (variable: elem variable known) (attrNames (own (unit service).environment))
        )
        [
          "backend"
          "ml-service"
        ];

    "a secret stays out of the store, and reaches its reader by systemd alone" =
      let
        backend = withSecrets.systemd.services.shopmicro-backend;
      in
      !backend.environment ? POSTGRES_URL
      && backend.environment.POSTGRES_URL_FILE == "%d/POSTGRES_URL"
      && backend.serviceConfig.LoadCredential == [ "POSTGRES_URL:/run/keys/postgres-url" ]
      &&
        withSecrets.systemd.services.shopmicro-admin.serviceConfig.LoadCredential == [
          "POSTGRES_URL:/run/keys/postgres-url"
          "password:/run/keys/shop-admin"
        ]
      &&
        withSecrets.systemd.services.grafana.serviceConfig.LoadCredential == [
          "grafana-admin-password:/run/keys/admin-password"
          "grafana-secret-key:/run/keys/secret-key"
        ];
    "secrets are made up where none is given, before they are read, and only then" =
      let
        inherit (services) grafana shopmicro-secrets;
        directory = "/var/lib/${shopmicro-secrets.serviceConfig.StateDirectory}";
      in
      builtins.sort builtins.lessThan appliance.services.shopmicro.secrets.generate == [
        "grafana-admin-password"
        "grafana-secret-key"
        "shop-admin-password"
      ]
      && (unit "admin").serviceConfig.LoadCredential == [ "password:${directory}/shop-admin-password" ]
      && elem "shopmicro-secrets.service" (unit "admin").requires
      && elem "shopmicro-secrets.service" (unit "admin").after
      &&
        grafana.serviceConfig.LoadCredential == [
          "grafana-admin-password:${directory}/grafana-admin-password"
          "grafana-secret-key:${directory}/grafana-secret-key"
        ]
      && grafana.requires == [ "shopmicro-secrets.service" ]
      && grafana.after == [ "shopmicro-secrets.service" ]
      && shopmicro-secrets.serviceConfig.StateDirectoryMode == "0700"
      && shopmicro-secrets.serviceConfig.UMask == "0077"
      && !withSecrets.systemd.services ? shopmicro-secrets;
    "the first admin is made though the backend needs several tries" =
      let
        admin = unit "admin";
      in
      !elem "shopmicro-backend.service" admin.requires
      && elem "shopmicro-backend.service" admin.wants
      && elem "shopmicro-backend.service" admin.after
      && admin.serviceConfig.Restart == "on-failure"
      && admin.startLimitIntervalSec == 0;
    "Grafana's password and key are read from files" =
      services.grafana.environment.GF_SECURITY_ADMIN_PASSWORD == "$__file{%d/grafana-admin-password}"
      && services.grafana.environment.GF_SECURITY_SECRET_KEY == "$__file{%d/grafana-secret-key}";

    "every unit of ours is confined, and those that serve do not run as root" = all (
      name:
      let
        inherit (services.${name}) serviceConfig;
      in
      serviceConfig.ProtectSystem == "strict"
      && serviceConfig.NoNewPrivileges
      && serviceConfig.SystemCallFilter != [ ]
      && (
        serviceConfig.Type or "" == "oneshot"
        || serviceConfig.DynamicUser or false
        || serviceConfig.User or "root" != "root"
      )
    ) (filter (name: match "shopmicro-.*" name != null) (attrNames services));
    "what nixpkgs leaves open of its own units is closed" =
      services.alloy.serviceConfig.SupplementaryGroups == [ ]
      &&
        all
          (
            name:
            let
              inherit (services.${name}) serviceConfig;
            in
            serviceConfig.ProtectSystem == "strict"
            && serviceConfig.RestrictNamespaces
            && elem serviceConfig.CapabilityBoundingSet [
              ""
              [ "" ]
            ]
          )
          [
            "alloy"
            "grafana"
            "loki"
            "mimir"
            "prometheus"
            "prometheus-nginx-exporter"
            "prometheus-postgres-exporter"
            "prometheus-redis-exporter"
            "tempo"
          ];
    "whatever serves may use the memory of config/budgets.json and no more" =
      let
        limits =
          lib.mapAttrs' (
            service:
            lib.nameValuePair (
              {
                postgresql = "postgresql";
                redis = "redis-shopmicro";
              }
              .${service} or "shopmicro-${service}"
            )
          ) budgets.shop
          // removeAttrs budgets.observability [ "exporters" ]
          // lib.genAttrs [
            "prometheus-nginx-exporter"
            "prometheus-postgres-exporter"
            "prometheus-redis-exporter"
          ] (_: budgets.observability.exporters);
      in
      attrNames limits == filter (name: !short name) (attrNames services)
      && all (name: services.${name}.serviceConfig.MemoryMax == "${toString limits.${name}}M") (
        attrNames limits
      );
    "PostgreSQL and Redis are told to stay well below their limits" =
      let
        redis = appliance.services.redis.servers.shopmicro.extraParams;
      in
      appliance.services.postgresql.settings.shared_buffers
      == "${toString (shop.postgresql.memoryMax / 3)}MB"
      &&
        builtins.tail (builtins.tail redis) == [
          "--maxmemory"
          "${toString (shop.redis.memoryMax * 6 / 10)}mb"
        ];
    "alerts on memory know the limits of the appliance" =
      let
        original = read "rules/budgets.yaml";
        changed = import ../../nix/budget-rules.nix {
          text = original;
          budgets.memory = shop.mimir.memoryBudgets;
        };
        values =
          text:
          map (found: builtins.elemAt found 1) (
            matches "memory_budget:bytes\n +labels: \\{job: ([a-z-]+)}\n +expr: (vector[^\n]*)\n" text
          );
        expected = map (job: "vector(${toString shop.${job}.memoryMax} * 2 ^ 20)") [
          "backend"
          "ml-service"
        ];
      in
      values changed == expected
      && values original != expected
      && builtins.length (lines changed) == builtins.length (lines original);
    "the alert on the database's disk knows a disk that is not the cluster's" =
      let
        original = read "rules/budgets.yaml";
        changed = import ../../nix/budget-rules.nix {
          text = original;
          budgets = {
            memory = { };
            disk.postgres = 40960;
          };
        };
        values = firsts "disk_budget:bytes\n +labels: \\{job: postgres}\n +expr: (vector[^\n]*)\n";
      in
      values original == [ "vector(10240 * 2 ^ 20)" ]
      && values changed == [ "vector(40960 * 2 ^ 20)" ]
      && builtins.length (lines changed) == builtins.length (lines original);
    "the shop's memory is at most 400 MiB, and all of it 2 GiB" =
      let
        exporters = 3 * budgets.observability.exporters;
        watching = sum (attrValues (removeAttrs budgets.observability [ "exporters" ]));
      in
      sum (attrValues budgets.shop) <= 400
      && sum (attrValues budgets.shop) + watching + exporters <= 2048
      && all (service: shop.${service}.memoryMax == (budgets.shop // budgets.observability).${service}) (
        filter (name: name != "backup") (attrNames shop)
      );

    "docs/appliance.md names options, units, secrets and files that there are" =
      let
        document = readFile ../../docs/appliance.md;
        options = map (path: filter isString (split "\\." path)) (
          firsts "services\\.shopmicro\\.([a-zA-Z.-]*[a-zA-Z])" document
        );
        isThere =
          set: path: path == [ ] || set ? ${head path} && isThere set.${head path} (builtins.tail path);
        units = matches "(shopmicro-[a-z]+)\\.(service|timer)" document;
        secrets = firsts "/var/lib/shopmicro-secrets/([a-z-]+)" document;
        files = firsts "`(config/[a-z./]+)`" document;
      in
      options != [ ]
      && all (isThere appliance.services.shopmicro) options
      && units != [ ]
      && all (unit: appliance.systemd."${builtins.elemAt unit 1}s" ? ${head unit}) units
      &&
        builtins.sort builtins.lessThan secrets
        == builtins.sort builtins.lessThan appliance.services.shopmicro.secrets.generate
      && files != [ ]
      && all (file: builtins.pathExists (../.. + "/${file}")) files;
    "services that are spread over machines find one another by options alone" =
      let
        db = machine (
          everyModule
          ++ [
            {
              services.shopmicro = {
                postgresql = {
                  enable = true;
                  clients = [ "10.0.0.0/24" ];
                  passwordFile = "/run/keys/db";
                  openFirewall = true;
                };
                redis = {
                  enable = true;
                  host = "10.0.0.2";
                  passwordFile = "/run/keys/redis";
                  openFirewall = true;
                };
              };
            }
          ]
        );
        web = machine (
          everyModule
          ++ [
            {
              services.shopmicro = {
                frontend = {
                  enable = true;
                  backends = [
                    "shop-1:3001"
                    "shop-2:3001"
                  ];
                  openFirewall = true;
                  exporter = {
                    host = "0.0.0.0";
                    openFirewall = true;
                  };
                };
                prometheus = {
                  enable = true;
                  targets.backend = [
                    "shop-1:3001"
                    "shop-2:3001"
                  ];
                };
              };
            }
          ]
        );
        refused = machine (
          everyModule
          ++ [
            {
              services.shopmicro = {
                postgresql = {
                  enable = true;
                  clients = [ "10.0.0.0/24" ];
                };
                redis = {
                  enable = true;
                  host = "0.0.0.0";
                };
              };
            }
          ]
        );
        holding = configuration: filter ({ assertion, ... }: assertion) configuration.assertions;
      in
      db.services.postgresql.enableTCPIP
      && db.services.postgresql.authentication == "host shopmicro shopmicro 10.0.0.0/24 scram-sha-256\n"
      && db.systemd.services.postgresql-setup.serviceConfig.LoadCredential == [ "password:/run/keys/db" ]
      && db.services.redis.servers.shopmicro.bind == "127.0.0.1 10.0.0.2"
      && db.services.redis.servers.shopmicro.requirePassFile == "/run/keys/redis"
      &&
        db.networking.firewall.allowedTCPPorts == [
          5432
          6379
        ]
      && holding db == db.assertions
      && holding refused == [ ]
      &&
        web.networking.firewall.allowedTCPPorts == [
          80
          9113
        ];
  };
}
