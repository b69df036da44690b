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

  entrypoint = pkgs.writeShellScript "postgres-entrypoint" (builtins.readFile ./postgres-entrypoint);
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
