# Redis, with the settings that every deployment has: what it holds can be rebuilt.
_:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.redis;
  options = import ../options.nix { inherit lib; };
  units = import ../units.nix { inherit lib; };
  loopbackIncluded = lib.elem cfg.host [
    "127.0.0.1"
    "0.0.0.0"
  ];
  address = "redis://127.0.0.1:${toString cfg.port}";
  # It takes a password from its environment alone.
  exporterWithPassword = pkgs.writeShellScript "redis-exporter" ''
    REDIS_PASSWORD="$(<"$CREDENTIALS_DIRECTORY/password")"
    export REDIS_PASSWORD
    exec ${lib.getExe' pkgs.prometheus-redis-exporter "redis_exporter"} -redis.addr=${address} \
      -web.listen-address=${cfg.exporter.host}:${toString cfg.exporter.port}
  '';
in
{
  options.services.shopmicro.redis = {
    enable = lib.mkEnableOption "the Redis of the shop";
    inherit (options) host openFirewall memoryMax;
    port = options.port 6379 "to listen on";
    passwordFile = options.secretFile ''
      A file outside of the store with the password that clients need. Redis answers no other machine without one.
    '';
    exporter = options.exporter 9121;
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.host == "127.0.0.1" || cfg.passwordFile != null;
        message = "services.shopmicro.redis.host: for other machines it needs a passwordFile";
      }
    ];

    services.redis.servers.shopmicro = {
      enable = true;
      inherit (cfg) port;
      # The exporter asks at the loopback.
      bind = if loopbackIncluded then cfg.host else "127.0.0.1 ${cfg.host}";
      requirePassFile = cfg.passwordFile;
      # Read after the settings that NixOS writes, of which some (`save`) would undo it.
      extraParams = [
        "--include"
        "${../../config/redis/redis.conf}"
      ]
      # In place of the file's: the rest is for clients and fragments.
      ++ lib.optionals (cfg.memoryMax != null) [
        "--maxmemory"
        "${toString (cfg.memoryMax * 6 / 10)}mb"
      ];
    };
    services.prometheus.exporters.redis = {
      enable = true;
      listenAddress = cfg.exporter.host;
      inherit (cfg.exporter) port;
      extraFlags = [ "-redis.addr=${address}" ];
    };
    networking.firewall.allowedTCPPorts =
      lib.optional cfg.openFirewall cfg.port ++ lib.optional cfg.exporter.openFirewall cfg.exporter.port;

    systemd.services = {
      # nixpkgs leaves it dead once it was killed.
      redis-shopmicro = {
        startLimitIntervalSec = 0;
        serviceConfig = {
          Restart = lib.mkOverride 1200 "always";
          RestartSec = lib.mkOverride 1200 1;
        }
        // units.memory cfg.memoryMax;
      };
      prometheus-redis-exporter = units.theirs {
        inherit (cfg.exporter) memoryMax;
        serviceConfig = lib.optionalAttrs (cfg.passwordFile != null) {
          LoadCredential = [ "password:${cfg.passwordFile}" ];
          ExecStart = lib.mkForce "${exporterWithPassword}";
        };
      };
    };
  };
}
