# The whole shop and what watches it on one machine, ready to be looked at: it has the demo catalogue, passwords that were
# made up for it, and no TLS, for which reason it runs in development mode. It is not for real customers.
self:
{ config, lib, ... }:
let
  inherit (lib) mkDefault;
  cfg = config.services.shopmicro;
  budgets = lib.importJSON ../../config/budgets.json;
  url = service: "http://127.0.0.1:${toString cfg.${service}.port}";
  services = budgets.shop // removeAttrs budgets.observability [ "exporters" ];
  watched = lib.mapAttrs (_: port: mkDefault [ "127.0.0.1:${toString port}" ]);
  # Its half is for the database: what observes writes there, too.
  diskMiB = 8192;
  disk = {
    virtualisation.diskSize = mkDefault diskMiB;
    services.shopmicro.mimir.diskBudgets.postgres = mkDefault (diskMiB / 2);
  };
in
{
  imports = map (name: self.nixosModules.${name}) (lib.attrNames services ++ [ "backup" ]);

  services.shopmicro = lib.mkMerge [
    # Each part is there, and may use the memory that is meant for it.
    (lib.mapAttrs (_: mib: {
      enable = mkDefault true;
      memoryMax = mkDefault mib;
    }) services)
    (lib.genAttrs [ "frontend" "postgresql" "redis" ] (_: {
      exporter.memoryMax = mkDefault budgets.observability.exporters;
    }))
    (lib.genAttrs [ "backend" "ml-service" ] (_: {
      environment = mkDefault "development";
      lokiUrl = mkDefault (url "loki");
      tracesUrl = mkDefault "http://127.0.0.1:${toString cfg.alloy.otlpPort}/v1/traces";
    }))
    {
      backend = {
        seed = mkDefault true;
        # Each takes PostgreSQL some six MiB.
        extraEnvironment.POSTGRES_POOL_SIZE = mkDefault "8";
        admin.email = mkDefault "admin@shopmicro.example";
      };
      backup.enable = mkDefault true;

      # What other machines reach, and nothing else.
      frontend.openFirewall = mkDefault true;
      grafana = {
        host = mkDefault "0.0.0.0";
        openFirewall = mkDefault true;
      };

      mimir.memoryBudgets = lib.genAttrs [ "backend" "ml-service" ] (job: mkDefault cfg.${job}.memoryMax);

      # The jobs of config/prometheus/targets.yml.
      prometheus.targets = watched {
        backend = cfg.backend.port;
        ml-service = cfg.ml-service.port;
        nginx = cfg.frontend.exporter.port;
        postgres = cfg.postgresql.exporter.port;
        redis = cfg.redis.exporter.port;
        loki = cfg.loki.port;
        mimir = cfg.mimir.port;
        tempo = cfg.tempo.port;
        alloy = cfg.alloy.port;
        grafana = cfg.grafana.port;
        prometheus = cfg.prometheus.port;
      };
    }
  ];

  services.getty.helpLine = lib.mkAfter ''
    The shop is at port ${toString cfg.frontend.port}, Grafana at port ${toString cfg.grafana.port}. Their passwords were made up
    and lie in ${cfg.secrets.directory}.
  '';

  # Of themselves they have half a gigabyte to spare.
  image.modules = lib.genAttrs [ "qemu" "qemu-efi" "raw-efi" ] (_: disk);

  # `nix run .#vm`.
  virtualisation.vmVariant = {
    imports = [ disk ];
    virtualisation = {
      cores = 2;
      memorySize = 3072;
      graphics = false;
      forwardPorts = [
        {
          from = "host";
          host.port = 8080;
          guest.port = cfg.frontend.port;
        }
        {
          from = "host";
          host.port = 3000;
          guest.port = cfg.grafana.port;
        }
      ];
    };
  };
}
