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
  options = import ../options.nix { inherit lib; };
  service = import ../service.nix {
    inherit lib pkgs;
    flake = self;
  };
  exe = lib.getExe cfg.package;
  # In production it makes no accounts.
  seed = "${lib.getExe' pkgs.coreutils "env"} NODE_ENV=production ${exe} seed";
  passwordMissing = cfg.admin.email != null && cfg.admin.passwordFile == null;
  passwordMaker = lib.optional passwordMissing "shopmicro-secrets.service";
  passwordFile =
    if passwordMissing then
      "${config.services.shopmicro.secrets.directory}/shop-admin-password"
    else
      cfg.admin.passwordFile;
in
{
  imports = [ self.nixosModules.secrets ];

  options.services.shopmicro.backend = service.options "backend" 3001 // {
    enable = lib.mkEnableOption "the backend of the shop";
    postgresUrl = mkOption {
      type = types.str;
      default = "postgresql:///shopmicro?host=/run/postgresql&user=shopmicro";
      description = "The database. Everyone on the machine can read this: for a password use `postgresUrlFile`.";
    };
    postgresUrlFile = options.secretFile ''
      A file outside of the store that holds the database's URL, in place of `postgresUrl`.
    '';
    mlServiceUrl = options.url "http://127.0.0.1:3002" "The recommendation service.";
    internalTokenFile = options.secretFile ''
      A file outside of the store with the token that the recommendation service wants to see before it trains.
    '';
    trustedProxies = mkOption {
      type = types.listOf types.str;
      default = [
        "127.0.0.0/8"
        "::1"
      ];
      description = "The addresses or networks of the frontends before it, whose word on who the customer is counts.";
    };
    seed = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to put the demo catalogue in. The demo accounts, whose passwords are public, are never made.";
    };
    admin = {
      email = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "admin@shop.example";
        description = "The address of an admin, whose account is made once: the first way into the shop's `/admin`.";
      };
      passwordFile = options.secretFile ''
        A file outside of the store with the admin's password. Without it, one is made up and kept as `shop-admin-password`
        in `services.shopmicro.secrets.directory`.
      '';
    };
  };

  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      (service.config {
        name = "backend";
        inherit cfg;
        settings = {
          NODE_ENV = cfg.environment;
          ML_SERVICE_URL = cfg.mlServiceUrl;
          TRUSTED_PROXIES = lib.concatStringsSep "," cfg.trustedProxies;
        };
        urls = {
          POSTGRES_URL = {
            url = cfg.postgresUrl;
            file = cfg.postgresUrlFile;
          };
          REDIS_URL = {
            url = cfg.redisUrl;
            file = cfg.redisUrlFile;
          };
        }
        // lib.optionalAttrs (cfg.internalTokenFile != null) {
          INTERNAL_TOKEN = {
            url = "";
            file = cfg.internalTokenFile;
          };
        };
        unit = {
          description = "ShopMicro backend";
          after = [
            "network.target"
            "postgresql.target"
            "redis-shopmicro.service"
          ];
          serviceConfig = {
            ExecStartPre = [ "${exe} migrate" ] ++ lib.optional cfg.seed seed;
            User = "shopmicro";
          };
        };
      })
      {
        # PostgreSQL knows the system's user by name, which spares a password.
        users.users.shopmicro = {
          isSystemUser = true;
          group = "shopmicro";
        };
        users.groups.shopmicro = { };
      }
      (lib.mkIf (cfg.admin.email != null) {
        services.shopmicro.secrets.generate = lib.optional passwordMissing "shop-admin-password";
        systemd.services.shopmicro-admin =
          let
            backend = config.systemd.services.shopmicro-backend;
          in
          {
            description = "The first admin of ShopMicro";
            wantedBy = [ "multi-user.target" ];
            # A backend that does not come up at the first try is no end to it: it is tried until the account is made.
            wants = [ "shopmicro-backend.service" ];
            requires = passwordMaker;
            after = [ "shopmicro-backend.service" ] ++ passwordMaker;
            startLimitIntervalSec = 0;
            # Once: the password is the admin's own from then on.
            unitConfig.ConditionPathExists = "!/var/lib/shopmicro-admin/made";
            inherit (backend) environment;
            script = ''
              ${exe} create-admin --email ${lib.escapeShellArg cfg.admin.email} <"$CREDENTIALS_DIRECTORY/password"
              ${lib.getExe' pkgs.coreutils "touch"} "$STATE_DIRECTORY/made"
            '';
            serviceConfig = import ../hardening.nix // {
              Type = "oneshot";
              RemainAfterExit = true;
              Restart = "on-failure";
              RestartSec = 5;
              User = "shopmicro";
              StateDirectory = "shopmicro-admin";
              LoadCredential = backend.serviceConfig.LoadCredential ++ [
                "password:${passwordFile}"
              ];
            };
          };
      })
    ]
  );
}
