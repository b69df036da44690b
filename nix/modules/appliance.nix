# The whole shop on one machine, ready to be looked at: it has the demo catalogue and the demo accounts,
# and no TLS, for which reason it runs in development mode. It is not for real customers.
self:
{ lib, ... }:
{
  imports = map (name: self.nixosModules.${name}) [
    "backend"
    "frontend"
    "ml-service"
    "postgresql"
    "redis"
  ];

  services.shopmicro = {
    backend = {
      enable = true;
      environment = lib.mkDefault "development";
      seed = lib.mkDefault true;
    };
    ml-service = {
      enable = true;
      environment = lib.mkDefault "development";
    };
    frontend.enable = true;
    postgresql.enable = true;
    redis.enable = true;
  };

  networking.firewall.allowedTCPPorts = [ 80 ];

  # `nix run .#vm`. Whoever sits at its console owns the machine anyway.
  virtualisation.vmVariant = {
    services.getty.autologinUser = "root";
    virtualisation = {
      cores = 2;
      memorySize = 2048;
      diskSize = 4096;
      graphics = false;
      forwardPorts = [
        {
          from = "host";
          host.port = 8080;
          guest.port = 80;
        }
      ];
    };
  };
}
