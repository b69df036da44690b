# Alloy as config/alloy says it: takes the services' traces, keeps those worth keeping, makes metrics of all.
_:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.alloy;
  options = import ../options.nix { inherit lib; };
  units = import ../units.nix { inherit lib; };
  pipeline = ../../config/alloy/traces.alloy;
  environment = {
    ALLOY_OTLP_ADDRESS = "${cfg.host}:${toString cfg.otlpPort}";
    MIMIR_URL = cfg.mimirUrl;
    TEMPO_OTLP_ADDRESS = cfg.tempoAddress;
  }
  # It refuses traces before it would be killed.
  // lib.optionalAttrs (cfg.memoryMax != null) {
    ALLOY_MEMORY_LIMIT = "${toString (cfg.memoryMax * 6 / 10)}MiB";
  };
in
{
  options.services.shopmicro.alloy = {
    enable = lib.mkEnableOption "Alloy, which takes the services' traces";
    inherit (options) host openFirewall memoryMax;
    port = options.port 12345 "of its own page and metrics";
    otlpPort = options.port 4318 "to which traces are sent, by OTLP/HTTP";
    mimirUrl = options.url "http://127.0.0.1:9009" ''
      Mimir, for the metrics that it makes of traces.
    '';
    tempoAddress = lib.mkOption {
      type = lib.types.str;
      default = "127.0.0.1:4317";
      description = "Tempo's address for OTLP/gRPC.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.alloy = {
      enable = true;
      extraFlags = [
        "--disable-reporting"
        "--server.http.listen-addr=${cfg.host}:${toString cfg.port}"
      ];
    };
    environment.etc."alloy/traces.alloy".source = pipeline;
    networking.firewall.allowedTCPPorts = lib.optionals cfg.openFirewall [
      cfg.port
      cfg.otlpPort
    ];

    system.checks = [
      (pkgs.runCommand "alloy-config" { env = environment; } ''
        ${lib.getExe config.services.alloy.package} validate ${pipeline}
        touch $out
      '')
    ];

    systemd.services.alloy = units.theirs {
      inherit (cfg) memoryMax;
      inherit environment;
      # It reads no journal here.
      serviceConfig.SupplementaryGroups = lib.mkForce [ ];
    };
  };
}
