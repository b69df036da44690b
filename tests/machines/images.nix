# PostgreSQL and Redis as images that the manifests can use where no registry can be reached: named as the ones that they
# name, and with as much of their behaviour as the manifests rely on.
{ pkgs }:
let
  inherit (pkgs) lib;

  image =
    {
      name,
      tag,
      user,
      path,
      config ? { },
    }:
    pkgs.dockerTools.buildLayeredImage {
      inherit name tag;
      contents = [
        # initdb looks its user up, and starts programs by the shell.
        pkgs.dockerTools.binSh
        (pkgs.dockerTools.fakeNss.override {
          extraPasswdLines = [ "${name}:x:${toString user}:${toString user}::/tmp:/bin/sh" ];
        })
      ];
      extraCommands = ''
        mkdir -p run/postgresql var tmp
        ln -s ../run var/run
        chmod 1777 tmp
      '';
      config = {
        User = toString user;
        Env = [ "PATH=${lib.makeBinPath path}" ];
      }
      // config;
    };

  # As the official image does: a new database is made and filled before it is served.
  entrypoint = pkgs.writeShellScript "postgres-entrypoint" ''
    set -euo pipefail
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
      printenv POSTGRES_PASSWORD >/tmp/password
      initdb --username=postgres --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --no-locale
      rm /tmp/password
      echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
      pg_ctl --wait --options="-c listen_addresses=" start
      for file in /docker-entrypoint-initdb.d/*.sql; do
        psql --set=ON_ERROR_STOP=1 --username=postgres --file="$file"
      done
      pg_ctl --wait --mode=fast stop
    fi
    exec postgres "$@"
  '';
in
[
  (image {
    name = "postgres";
    tag = "15-alpine";
    user = 70;
    path = [
      pkgs.coreutils
      pkgs.postgresql_15
    ];
    config.Entrypoint = [ "${entrypoint}" ];
  })
  (image {
    name = "redis";
    tag = "7-alpine";
    user = 999;
    path = [ pkgs.redis ];
  })
]
