# The three images: a program and what it links to, nothing else; no shell, no package manager.
# They run as a numeric user, from a read-only root, and carry no time of build.
{
  pkgs,
  version,
  backend,
  ml-service,
  web,
}:
let
  inherit (pkgs) lib;

  image =
    name:
    {
      contents ? [ ],
      extraCommands ? "",
      config,
    }:
    pkgs.dockerTools.buildLayeredImage {
      name = "shopmicro-${name}";
      tag = "latest";
      inherit contents extraCommands;
      config = {
        User = "65532:65532";
        Labels = {
          "org.opencontainers.image.title" = "shopmicro-${name}";
          "org.opencontainers.image.version" = version;
          "org.opencontainers.image.licenses" = "MIT OR Apache-2.0";
        };
      }
      // config;
    };

  service =
    program: port:
    let
      exe = lib.getExe program;
    in
    {
      # For a Loki behind TLS.
      contents = [ pkgs.dockerTools.caCertificates ];
      config = {
        Entrypoint = [ exe ];
        Cmd = [ "serve" ];
        ExposedPorts."${toString port}/tcp" = { };
        Healthcheck.Test = [
          "CMD"
          exe
          "healthcheck"
        ];
      };
    };
in
lib.mapAttrs image {
  backend = service backend 3001;
  ml-service = service ml-service 3002;

  frontend = {
    contents = [
      (pkgs.runCommand "shopmicro-frontend-root" { } ''
        mkdir -p $out/etc/nginx $out/usr/share/nginx
        cp ${../config/nginx}/*.conf $out/etc/nginx
        ln -s ${web} $out/usr/share/nginx/html
      '')
    ];
    # nginx keeps its pid and what it buffers below its prefix.
    extraCommands = "mkdir -m 1777 tmp";
    config = {
      Entrypoint = [
        # Without the module that would bring perl along.
        (lib.getExe (pkgs.nginx.override { withPerl = false; }))
        "-p"
        "/tmp"
        "-c"
        "/etc/nginx/nginx.conf"
        "-e"
        "stderr"
        "-g"
        "daemon off; pid nginx.pid;"
      ];
      ExposedPorts."8080/tcp" = { };
      # nginx finishes the requests in flight on SIGQUIT, and drops them on SIGTERM.
      StopSignal = "SIGQUIT";
    };
  };
}
