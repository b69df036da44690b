# Services on machines of their own.
{ machine, everyModule, ... }:
let
  inherit (builtins) filter;
in
{
  promises = {
    "services that are spread over machines find one another by options alone" =
      let
        db = machine (
          everyModule
          ++ [
            {
              services.shopmicro = {
                postgresql = {
                  enable = true;
                  clients = [ "10.0.0.0/24" ];
                  passwordFile = "/run/keys/db";
                  openFirewall = true;
                };
                redis = {
                  enable = true;
                  host = "10.0.0.2";
                  passwordFile = "/run/keys/redis";
                  openFirewall = true;
                };
              };
            }
          ]
        );
        web = machine (
          everyModule
          ++ [
            {
              services.shopmicro = {
                frontend = {
                  enable = true;
                  backends = [
                    "shop-1:3001"
                    "shop-2:3001"
                  ];
                  openFirewall = true;
                  exporter = {
                    host = "0.0.0.0";
                    openFirewall = true;
                  };
                };
                prometheus = {
                  enable = true;
                  targets.backend = [
                    "shop-1:3001"
                    "shop-2:3001"
                  ];
                };
              };
            }
          ]
        );
        refused = machine (
          everyModule
          ++ [
            {
              services.shopmicro = {
                postgresql = {
                  enable = true;
                  clients = [ "10.0.0.0/24" ];
                };
                redis = {
                  enable = true;
                  host = "0.0.0.0";
                };
              };
            }
          ]
        );
        holding = configuration: filter ({ assertion, ... }: assertion) configuration.assertions;
      in
      db.services.postgresql.enableTCPIP
      && db.services.postgresql.authentication == "host shopmicro shopmicro 10.0.0.0/24 scram-sha-256\n"
      && db.systemd.services.postgresql-setup.serviceConfig.LoadCredential == [ "password:/run/keys/db" ]
      && db.services.redis.servers.shopmicro.bind == "127.0.0.1 10.0.0.2"
      && db.services.redis.servers.shopmicro.requirePassFile == "/run/keys/redis"
      &&
        db.networking.firewall.allowedTCPPorts == [
          5432
          6379
        ]
      && holding db == db.assertions
      && holding refused == [ ]
      &&
        web.networking.firewall.allowedTCPPorts == [
          80
          9113
        ];
  };
}
