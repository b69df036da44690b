# Redis, with the settings that every deployment has: what it holds can be rebuilt.
_:
{ config, lib, ... }:
{
  options.services.shopmicro.redis.enable = lib.mkEnableOption "the Redis of the shop";

  config = lib.mkIf config.services.shopmicro.redis.enable {
    services.redis.servers.shopmicro = {
      enable = true;
      port = 6379;
      # Read after the settings that NixOS writes, of which some (`save`) would undo it.
      extraParams = [
        "--include"
        "${../../config/redis/redis.conf}"
      ];
    };
  };
}
