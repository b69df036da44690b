# The database, with the settings and the role that every deployment has. The role is that of the backend's user,
# whom PostgreSQL knows by name, so that there is no password.
_:
{
  config,
  lib,
  pkgs,
  ...
}:
{
  options.services.shopmicro.postgresql.enable = lib.mkEnableOption "the database of the shop";

  config = lib.mkIf config.services.shopmicro.postgresql.enable {
    services.postgresql = {
      enable = true;
      # As in the other deployments, so that a dump of one restores in each.
      package = pkgs.postgresql_15;
      settings.include = "${../../config/postgres/postgresql.conf}";
      initialScript = ../../config/postgres/init.sql;
    };
  };
}
