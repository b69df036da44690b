# Grafana with the settings, data sources and dashboards of config/grafana.
self:
{ config, lib, ... }:
let
  cfg = config.services.shopmicro.grafana;
  options = import ../options.nix { inherit lib; };
  units = import ../units.nix { inherit lib; };
  inherit (config.services.shopmicro) secrets;
  given = {
    grafana-admin-password = cfg.adminPasswordFile;
    grafana-secret-key = cfg.secretKeyFile;
  };
  missing = lib.filter (name: given.${name} == null) (lib.attrNames given);
  maker = lib.optional (missing != [ ]) "shopmicro-secrets.service";
in
{
  imports = [ self.nixosModules.secrets ];

  options.services.shopmicro.grafana = {
    enable = lib.mkEnableOption "Grafana, which shows the shop's metrics, logs and traces";
    inherit (options) host openFirewall memoryMax;
    port = options.port 3000 "of its pages";
    mimirUrl = options.url "http://127.0.0.1:9009" "Mimir.";
    lokiUrl = options.url "http://127.0.0.1:3100" "Loki.";
    tempoUrl = options.url "http://127.0.0.1:3200" "Tempo.";
    adminPasswordFile = options.secretFile ''
      A file outside of the store with the password of the user `admin`, which is read at the very first start. Without it, one
      is made up and kept as `grafana-admin-password` in `services.shopmicro.secrets.directory`.
    '';
    secretKeyFile = options.secretFile ''
      A file outside of the store with the key by which Grafana encrypts what is secret in its database. Without it, one is
      made up.
    '';
  };

  config = lib.mkIf cfg.enable {
    services.grafana = {
      enable = true;
      settings = import ../ini.nix (builtins.readFile ../../config/grafana/grafana.ini);
    };
    services.shopmicro.secrets.generate = missing;
    networking.firewall.allowedTCPPorts = lib.optional cfg.openFirewall cfg.port;

    systemd.services.grafana =
      units.theirs {
        inherit (cfg) memoryMax;
        environment = {
          GF_PATHS_PROVISIONING = "${../../config/grafana/provisioning}";
          GF_SERVER_HTTP_ADDR = cfg.host;
          GF_SERVER_HTTP_PORT = toString cfg.port;
          GRAFANA_DASHBOARDS = "${../../config/grafana/dashboards}";
          LOKI_URL = cfg.lokiUrl;
          MIMIR_URL = cfg.mimirUrl;
          TEMPO_URL = cfg.tempoUrl;
        };
        # %d is the directory of the unit's credentials.
        specifiers = {
          GF_SECURITY_ADMIN_PASSWORD = "$__file{%d/grafana-admin-password}";
          GF_SECURITY_SECRET_KEY = "$__file{%d/grafana-secret-key}";
        };
        serviceConfig = {
          LoadCredential = lib.mapAttrsToList (
            name: file: "${name}:${if file != null then file else "${secrets.directory}/${name}"}"
          ) given;
          ReadWritePaths = [ config.services.grafana.dataDir ];
          # nixpkgs leaves this open, for what plugins compile.
          MemoryDenyWriteExecute = false;
        };
      }
      // {
        requires = maker;
        after = maker;
      };
  };
}
