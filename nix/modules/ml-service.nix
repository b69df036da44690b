# The recommendation service. What it knows it reads from the backend; on disk it keeps its model, which it can make again.
self:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.ml-service;
  options = import ../options.nix { inherit lib; };
  service = import ../service.nix {
    inherit lib pkgs;
    flake = self;
  };
in
{
  options.services.shopmicro.ml-service = service.options "ml-service" 3002 // {
    enable = lib.mkEnableOption "the recommendation service of the shop";
    backendUrl = options.url "http://127.0.0.1:3001" ''
      The backend, whose catalogue and interactions it reads.
    '';
    internalTokenFile = options.secretFile ''
      A file outside of the store with the token that the backend shows when it has a model trained.
    '';
  };

  config = lib.mkIf cfg.enable (
    service.config {
      name = "ml-service";
      inherit cfg;
      settings = {
        FLASK_ENV = cfg.environment;
        BACKEND_URL = cfg.backendUrl;
        SNAPSHOT_DIR = "/var/cache/shopmicro-ml-service";
      }
      # As many as fit: docs/recommender.md.
      // lib.optionalAttrs (cfg.memoryMax != null) {
        MAX_PRODUCTS = toString (cfg.memoryMax * 200);
        MAX_USERS = toString (cfg.memoryMax * 30);
      };
      urls = {
        REDIS_URL = {
          url = cfg.redisUrl;
          file = cfg.redisUrlFile;
        };
      }
      // lib.optionalAttrs (cfg.internalTokenFile != null) {
        INTERNAL_TOKEN = {
          url = "";
          file = cfg.internalTokenFile;
        };
      };
      unit = {
        description = "ShopMicro recommendation service";
        after = [
          "network.target"
          "redis-shopmicro.service"
        ];
        serviceConfig = {
          DynamicUser = true;
          CacheDirectory = "shopmicro-ml-service";
        };
      };
    }
  );
}
