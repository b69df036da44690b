# The database, with the settings and the roles that every deployment has. The roles are those of the users of the
# backend and of the exporter, whom PostgreSQL knows by name, so that there is no password on one machine.
_:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.postgresql;
  inherit (lib) mkOption types;
  options = import ../options.nix { inherit lib; };
  units = import ../units.nix { inherit lib; };
in
{
  options.services.shopmicro.postgresql = {
    enable = lib.mkEnableOption "the database of the shop";
    inherit (options) openFirewall memoryMax;
    clients = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "192.0.2.0/24" ];
      description = "The networks of backends on other machines, who log in with the password of `passwordFile`.";
    };
    passwordFile = options.secretFile ''
      A file outside of the store with the password of the role `shopmicro`, which `clients` need. It is set at every start.
    '';
    exporter = options.exporter 9187;
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.clients == [ ] || cfg.passwordFile != null;
        message = "services.shopmicro.postgresql.clients need a passwordFile";
      }
    ];

    services.postgresql = {
      enable = true;
      # As in the other deployments, so that a dump of one restores in each.
      package = pkgs.postgresql_15;
      enableTCPIP = cfg.clients != [ ];
      settings = {
        include = "${../../config/postgres/postgresql.conf}";
      }
      // lib.optionalAttrs (cfg.memoryMax != null) {
        # In place of the file's: the rest is for its processes.
        shared_buffers = "${toString (cfg.memoryMax / 3)}MB";
      };
      authentication = lib.concatMapStrings (network: ''
        host shopmicro shopmicro ${network} scram-sha-256
      '') cfg.clients;
    };
    # Its role may read statistics, and no table of the shop.
    services.prometheus.exporters.postgres = {
      enable = true;
      listenAddress = cfg.exporter.host;
      inherit (cfg.exporter) port;
      dataSourceName = "postgresql:///shopmicro?host=/run/postgresql&user=postgres-exporter&sslmode=disable";
    };
    networking.firewall.allowedTCPPorts =
      lib.optional cfg.openFirewall config.services.postgresql.settings.port
      ++ lib.optional cfg.exporter.openFirewall cfg.exporter.port;

    systemd.services = {
      postgresql.serviceConfig = units.memory cfg.memoryMax;
      # At every start, unlike `initialScript`: a later version may have other roles, and a password may be a new one.
      postgresql-setup = {
        script = lib.mkAfter ''
          ${lib.optionalString (cfg.passwordFile != null) ''
            export SHOPMICRO_PASSWORD="$(<"$CREDENTIALS_DIRECTORY/password")"
          ''}
          psql --no-psqlrc --quiet --dbname=postgres --file=${../../config/postgres/init.sql}
        '';
        serviceConfig.LoadCredential = lib.mkIf (cfg.passwordFile != null) [
          "password:${cfg.passwordFile}"
        ];
      };
      prometheus-postgres-exporter = units.theirs { inherit (cfg.exporter) memoryMax; };
    };
  };
}
