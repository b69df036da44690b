# The appliance as a whole.
{
  self,
  system,
  lib,
  pkgs,
  machine,
  appliance,
  withNothing,
  shop,
  services,
  unit,
  matches,
  firsts,
  own,
  budgets,
  short,
  ...
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
    head
    isString
    readFile
    split
    ;
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
          MAX_PRODUCTS = toString (budgets.shop.ml-service * 200);
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
    "each disk is as large as the alert about it thinks, and an ISO boots from a stick" =
      let
        images = removeAttrs appliance.image.modules [ "iso" ];
      in
      attrNames images == [
        "qemu"
        "qemu-efi"
        "raw-efi"
      ]
      && all (image: image.virtualisation.diskSize == 8192) (attrValues images)
      && all (image: image.services.shopmicro.mimir.diskBudgets.postgres == 4096) (attrValues images)
      && appliance.image.modules.iso.isoImage.makeUsbBootable
      && elem "virtio_blk" appliance.boot.initrd.availableKernelModules;
    "what is killed is started again, however often" = all (
      name:
      services.${name}.startLimitIntervalSec == 0
      # nixpkgs has a rule of its own for it.
      || name == "postgresql"
      || short name
    ) (attrNames services);
    "docs/appliance.md names options, units, secrets and files that there are" =
      let
        document = readFile ../../../docs/appliance.md;
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
      && all (file: builtins.pathExists (../../.. + "/${file}")) files;
  };
}
