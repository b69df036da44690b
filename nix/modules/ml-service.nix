# The recommendation service. What it knows it reads from the backend; it keeps nothing on disk.
self:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.ml-service;
  inherit (lib) mkOption types;
  exe = lib.getExe cfg.package;

  settings = {
    FLASK_ENV = cfg.environment;
    HOST = cfg.host;
    PORT = toString cfg.port;
    REDIS_URL = cfg.redisUrl;
    BACKEND_URL = cfg.backendUrl;
  }
  // cfg.extraEnvironment;
in
{
  options.services.shopmicro.ml-service = {
    enable = lib.mkEnableOption "the recommendation service of the shop";
    package = mkOption {
      type = types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.ml-service;
      defaultText = lib.literalMD "the flake's `ml-service`";
      description = "The package of the recommendation service.";
    };
    environment = mkOption {
      type = types.enum [
        "production"
        "development"
        "test"
      ];
      default = "production";
      description = "The mode, which is also a label of its telemetry.";
    };
    host = mkOption {
      type = types.str;
      default = "127.0.0.1";
      description = "The address to listen on.";
    };
    port = mkOption {
      type = types.port;
      default = 3002;
      description = "The port to listen on.";
    };
    redisUrl = mkOption {
      type = types.str;
      default = "redis://127.0.0.1:6379";
      description = "Redis.";
    };
    backendUrl = mkOption {
      type = types.str;
      default = "http://127.0.0.1:3001";
      description = "The backend, whose catalogue and interactions it reads.";
    };
    extraEnvironment = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        LOG_LEVEL = "debug";
      };
      description = "Further environment variables.";
    };
  };

  config = lib.mkIf cfg.enable {
    system.checks = [
      (pkgs.runCommand "shopmicro-ml-service-config" { env = settings; } "${exe} check-config && touch $out")
    ];

    systemd.services.shopmicro-ml-service = {
      description = "ShopMicro recommendation service";
      wantedBy = [ "multi-user.target" ];
      after = [
        "network.target"
        "redis-shopmicro.service"
      ];
      startLimitIntervalSec = 0;
      environment = lib.mapAttrs (_: lib.replaceStrings [ "%" ] [ "%%" ]) settings;
      serviceConfig = import ../hardening.nix // {
        ExecStart = "${exe} serve";
        DynamicUser = true;
        Restart = "always";
        RestartSec = 1;
      };
    };
  };
}
