# The shop's API. It brings the database's schema up to date before it serves.
self:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.backend;
  inherit (lib) mkOption types;
  exe = lib.getExe cfg.package;

  settings = {
    NODE_ENV = cfg.environment;
    HOST = cfg.host;
    PORT = toString cfg.port;
    REDIS_URL = cfg.redisUrl;
    ML_SERVICE_URL = cfg.mlServiceUrl;
  }
  // lib.optionalAttrs (cfg.postgresUrlFile == null) { POSTGRES_URL = cfg.postgresUrl; }
  // cfg.extraEnvironment;
in
{
  options.services.shopmicro.backend = {
    enable = lib.mkEnableOption "the backend of the shop";
    package = mkOption {
      type = types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.backend;
      defaultText = lib.literalMD "the flake's `backend`";
      description = "The package of the backend.";
    };
    environment = mkOption {
      type = types.enum [
        "production"
        "development"
        "test"
      ];
      default = "production";
      description = "`production` gives cookies that browsers send over TLS alone, and never seeds the demo accounts.";
    };
    host = mkOption {
      type = types.str;
      default = "127.0.0.1";
      description = "The address to listen on.";
    };
    port = mkOption {
      type = types.port;
      default = 3001;
      description = "The port to listen on.";
    };
    postgresUrl = mkOption {
      type = types.str;
      default = "postgresql:///shopmicro?host=/run/postgresql&user=shopmicro";
      description = "The database. It is readable by everyone on the machine: for a password use `postgresUrlFile`.";
    };
    postgresUrlFile = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "A file outside of the store that holds the database's URL, in place of `postgresUrl`.";
    };
    redisUrl = mkOption {
      type = types.str;
      default = "redis://127.0.0.1:6379";
      description = "Redis.";
    };
    mlServiceUrl = mkOption {
      type = types.str;
      default = "http://127.0.0.1:3002";
      description = "The recommendation service.";
    };
    seed = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to put the demo catalogue in and, outside of production, the demo accounts.";
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
    # A mistake in the settings fails the build of the system, not its start.
    system.checks = [
      (pkgs.runCommand "shopmicro-backend-config" {
        # In place of a URL that is a secret, and so not for the store.
        env =
          settings // lib.optionalAttrs (cfg.postgresUrlFile != null) { POSTGRES_URL = "postgresql:///shopmicro"; };
      } "${exe} check-config && touch $out")
    ];

    # PostgreSQL knows the system's user by name, which spares a password.
    users.users.shopmicro = {
      isSystemUser = true;
      group = "shopmicro";
    };
    users.groups.shopmicro = { };

    systemd.services.shopmicro-backend = {
      description = "ShopMicro backend";
      wantedBy = [ "multi-user.target" ];
      after = [
        "network.target"
        "postgresql.target"
        "redis-shopmicro.service"
      ];
      # However long the database takes to come.
      startLimitIntervalSec = 0;
      environment =
        lib.mapAttrs (_: lib.replaceStrings [ "%" ] [ "%%" ]) settings
        // lib.optionalAttrs (cfg.postgresUrlFile != null) { POSTGRES_URL_FILE = "%d/postgres-url"; };
      serviceConfig = import ../hardening.nix // {
        ExecStartPre = [ "${exe} migrate" ] ++ lib.optional cfg.seed "${exe} seed";
        ExecStart = "${exe} serve";
        LoadCredential = lib.optional (cfg.postgresUrlFile != null) "postgres-url:${cfg.postgresUrlFile}";
        User = "shopmicro";
        Restart = "always";
        RestartSec = 1;
      };
    };
  };
}
