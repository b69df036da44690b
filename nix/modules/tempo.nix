# Tempo, the traces, as config/tempo says it.
_:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.tempo;
  options = import ../options.nix { inherit lib; };
  units = import ../units.nix { inherit lib; };
  configFile = ../../config/tempo/tempo.yaml;
  environment = {
    # nixpkgs' unit keeps its state there.
    TEMPO_DIR = "/var/lib/tempo";
    TEMPO_GRPC_PORT = toString cfg.grpcPort;
    TEMPO_HOST = cfg.host;
    TEMPO_OTLP_ADDRESS = "${cfg.host}:${toString cfg.otlpPort}";
    TEMPO_PORT = toString cfg.port;
    TEMPO_RETENTION = cfg.retention;
  };
in
{
  options.services.shopmicro.tempo = {
    enable = lib.mkEnableOption "Tempo, which keeps the shop's traces";
    inherit (options) host openFirewall memoryMax;
    port = options.port 3200 "of its API";
    grpcPort = options.port 9097 "by which its own parts speak with one another";
    otlpPort = options.port 4317 "to which traces are sent, by OTLP/gRPC";
    retention = lib.mkOption {
      type = lib.types.str;
      default = "336h";
      description = "How long traces are kept.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.tempo = {
      enable = true;
      inherit configFile;
      extraFlags = [ "-config.expand-env=true" ];
    };
    networking.firewall.allowedTCPPorts = lib.optionals cfg.openFirewall [
      cfg.port
      cfg.otlpPort
    ];

    system.checks = [
      (pkgs.runCommand "tempo-config" { env = environment; } ''
        ${lib.getExe' pkgs.tempo "tempo"} -config.verify -config.expand-env=true -config.file=${configFile}
        touch $out
      '')
    ];

    systemd.services.tempo = units.theirs {
      inherit (cfg) memoryMax;
      inherit environment;
    };
  };
}
