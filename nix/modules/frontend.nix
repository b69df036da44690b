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

  deployment = pkgs.writeText "deployment.conf" (import ../deployment-conf.nix cfg);
  configuration = pkgs.runCommand "shopmicro-frontend-config" { } ''
    mkdir $out
    cp ${../../config/nginx}/*.conf $out
    cp --force ${deployment} $out/deployment.conf
  '';
  # nginx opens /dev/stdout anew, which is not possible where it is the journal's socket; a pipe is fine.
  start = pkgs.writeShellScript "shopmicro-frontend" ''
    exec ${lib.getExe cfg.package} -p /run/shopmicro-frontend -c ${configuration}/nginx.conf \
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
    listen = mkOption {
      type = types.str;
      default = "80";
      example = "127.0.0.1:8080";
      description = "Where to listen, as nginx's `listen` takes it.";
    };
    backends = mkOption {
      type = types.nonEmptyListOf types.str;
      default = [ "127.0.0.1:3001" ];
      description = "The addresses of the backends.";
    };
  };

  config = lib.mkIf cfg.enable {
    systemd.services.shopmicro-frontend = {
      description = "ShopMicro frontend";
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      serviceConfig = import ../hardening.nix // {
        ExecStart = "${start}";
        # nginx finishes the requests in flight on SIGQUIT, and drops them on SIGTERM.
        KillSignal = "SIGQUIT";
        KillMode = "mixed";
        DynamicUser = true;
        RuntimeDirectory = "shopmicro-frontend";
        AmbientCapabilities = [ "CAP_NET_BIND_SERVICE" ];
        CapabilityBoundingSet = [ "CAP_NET_BIND_SERVICE" ];
        Restart = "always";
        RestartSec = 1;
      };
    };
  };
}
