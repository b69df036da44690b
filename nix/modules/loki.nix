# Loki, the log, as config/loki says it.
_:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.loki;
  options = import ../options.nix { inherit lib; };
  units = import ../units.nix { inherit lib; };
  configFile = ../../config/loki/loki.yaml;
  environment = {
    LOKI_DIR = config.services.loki.dataDir;
    LOKI_GRPC_PORT = toString cfg.grpcPort;
    LOKI_HOST = cfg.host;
    LOKI_PORT = toString cfg.port;
    LOKI_RETENTION = cfg.retention;
  };
in
{
  options.services.shopmicro.loki = {
    enable = lib.mkEnableOption "Loki, which keeps the shop's logs";
    inherit (options) host openFirewall memoryMax;
    port = options.port 3100 "of its API, to which logs are pushed";
    grpcPort = options.port 9096 "by which its own parts speak with one another";
    retention = lib.mkOption {
      type = lib.types.str;
      default = "168h";
      description = "How long lines are kept.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.loki = {
      enable = true;
      inherit configFile;
      extraFlags = [ "-config.expand-env=true" ];
    };
    networking.firewall.allowedTCPPorts = lib.optional cfg.openFirewall cfg.port;

    # nixpkgs does not check a configuration that reads variables.
    system.checks = [
      (pkgs.runCommand "loki-config" { env = environment; } ''
        ${lib.getExe' config.services.loki.package "loki"} -verify-config -config.expand-env=true -config.file=${configFile}
        touch $out
      '')
    ];

    systemd.services.loki = units.theirs {
      inherit (cfg) memoryMax;
      inherit environment;
      serviceConfig.ReadWritePaths = [ config.services.loki.dataDir ];
    };
  };
}
