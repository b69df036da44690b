# Dumps of the database, made by the clock, and the program that puts one back.
_:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.backup;
  inherit (lib) mkOption types;
  postgresql = config.services.postgresql.package;

  backup = pkgs.writeShellApplication {
    name = "shopmicro-backup";
    runtimeInputs = [
      pkgs.coreutils
      postgresql
    ];
    text = builtins.readFile ../../config/backup/backup;
  };
  restore = pkgs.writeShellApplication {
    name = "shopmicro-restore";
    runtimeInputs = [
      pkgs.coreutils
      pkgs.util-linux
      config.systemd.package
      postgresql
    ];
    text = ''
      BACKUPS=${cfg.directory}
      ROLES=${../../config/postgres/init.sql}
      ${builtins.readFile ../restore}
    '';
  };
in
{
  options.services.shopmicro.backup = {
    enable = lib.mkEnableOption "dumps of the shop's database, on the machine of the database";
    directory = mkOption {
      type = types.strMatching "/.+";
      default = "/var/backup/shopmicro";
      description = "Where the dumps are. Something else must carry them to another machine.";
    };
    startAt = mkOption {
      type = types.str;
      default = "*-*-* 03:00:00";
      description = "When to make one, as systemd.time(7) says.";
    };
    keep = mkOption {
      type = types.ints.positive;
      default = 14;
      description = "How many to keep.";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ restore ];

    systemd = {
      tmpfiles.settings.shopmicro-backup.${cfg.directory}.d = {
        mode = "0700";
        user = "postgres";
        group = "postgres";
      };
      services.shopmicro-backup = {
        description = "Dump of the shop's database";
        requires = [ "postgresql.target" ];
        after = [ "postgresql.target" ];
        environment.KEEP = toString cfg.keep;
        inherit (cfg) startAt;
        serviceConfig = import ../hardening.nix // {
          Type = "oneshot";
          ExecStart = lib.getExe backup;
          User = "postgres";
          WorkingDirectory = cfg.directory;
          ReadWritePaths = [ cfg.directory ];
          PrivateNetwork = true;
        };
      };
      # One that was missed, since the machine was off, is made when it is on again.
      timers.shopmicro-backup.timerConfig.Persistent = true;
    };
  };
}
