# nginx in front of the shop: the very files that the image carries, save for deployment.conf.
self:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.frontend;
  inherit (lib) mkOption types;
  options = import ../options.nix { inherit lib; };
  units = import ../units.nix { inherit lib; };

  configuration =
    deployment:
    pkgs.runCommand "shopmicro-frontend-config" { } ''
      mkdir $out
      cp ${../../config/nginx}/*.conf $out
      cp --force ${pkgs.writeText "deployment.conf" (import ../deployment-conf.nix deployment)} $out/deployment.conf
    '';
  loopback = "127.0.0.1:${toString cfg.port}";
  deployment = {
    # The exporter asks at the loopback.
    listen = lib.unique (
      [ "${cfg.host}:${toString cfg.port}" ] ++ lib.optional (cfg.host != "0.0.0.0") loopback
    );
    inherit (cfg) backends web;
  };
  # nginx opens /dev/stdout anew, which is not possible where it is the journal's socket; a pipe is fine.
  start = pkgs.writeShellScript "shopmicro-frontend" ''
    exec ${lib.getExe cfg.package} -p /run/shopmicro-frontend -c ${configuration deployment}/nginx.conf \
      -e stderr -g 'daemon off; pid nginx.pid;' > >(exec cat)
  '';
in
{
  options.services.shopmicro.frontend = {
    enable = lib.mkEnableOption "the web frontend of the shop";
    package = lib.mkPackageOption pkgs "nginx" { };
    web = mkOption {
      type = types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.web;
      defaultText = lib.literalMD "the flake's `web`";
      description = "The pages.";
    };
    host = options.host // {
      default = "0.0.0.0";
      example = "127.0.0.1";
    };
    port = options.port 80 "to listen on";
    inherit (options) openFirewall memoryMax;
    backends = mkOption {
      type = types.nonEmptyListOf types.str;
      default = [ "127.0.0.1:3001" ];
      description = ''
        The addresses of the backends. nginx asks all addresses that a name has, so one where nothing listens, as IPv6's may
        be, costs requests.
      '';
    };
    exporter = options.exporter 9113;
  };

  config = lib.mkIf cfg.enable {
    # The addresses belong to the deployment: the names of backends need not be known where the system is built.
    system.checks = [
      (pkgs.runCommand "shopmicro-frontend-check" { } ''
        ${lib.getExe cfg.package} -t -p "$PWD" -e stderr -g 'pid nginx.pid;' -c ${
          configuration (
            deployment
            // {
              listen = [ "127.0.0.1:8080" ];
              backends = [ "127.0.0.1:3001" ];
            }
          )
        }/nginx.conf | cat
        touch $out
      '')
    ];

    # Only this machine is told nginx' status.
    services.prometheus.exporters.nginx = {
      enable = true;
      listenAddress = cfg.exporter.host;
      inherit (cfg.exporter) port;
      scrapeUri = "http://${loopback}/nginx_status";
    };
    networking.firewall.allowedTCPPorts =
      lib.optional cfg.openFirewall cfg.port ++ lib.optional cfg.exporter.openFirewall cfg.exporter.port;

    systemd.services = {
      shopmicro-frontend = units.own cfg.memoryMax {
        description = "ShopMicro frontend";
        after = [ "network.target" ];
        serviceConfig = {
          ExecStart = "${start}";
          # nginx finishes the requests in flight on SIGQUIT, and drops them on SIGTERM.
          KillSignal = "SIGQUIT";
          KillMode = "mixed";
          DynamicUser = true;
          RuntimeDirectory = "shopmicro-frontend";
          AmbientCapabilities = [ "CAP_NET_BIND_SERVICE" ];
          CapabilityBoundingSet = [ "CAP_NET_BIND_SERVICE" ];
        };
      };
      prometheus-nginx-exporter = units.theirs { inherit (cfg.exporter) memoryMax; };
    };
  };
}
