# Prometheus as config/prometheus says it: an agent, which asks everything for metrics and hands them to Mimir.
_:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.prometheus;
  inherit (lib) mkOption types;
  options = import ../options.nix { inherit lib; };
  units = import ../units.nix { inherit lib; };
  targets = pkgs.writeText "targets.json" (
    builtins.toJSON (
      lib.mapAttrsToList (job: targets: {
        inherit targets;
        labels = { inherit job; };
      }) cfg.targets
    )
  );
in
{
  options.services.shopmicro.prometheus = {
    enable = lib.mkEnableOption "Prometheus, which asks the shop's services for metrics";
    inherit (options) host openFirewall memoryMax;
    port = options.port 9090 "of its own page and metrics";
    mimirUrl = options.url "http://127.0.0.1:9009" "Mimir, which is given the metrics.";
    targets = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      example = {
        backend = [
          "shop-1:3001"
          "shop-2:3001"
        ];
      };
      description = ''
        Whom to ask: addresses by the name of their job. Dashboards and alerts know the jobs of
        `config/prometheus/targets.yml`.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    services.prometheus = {
      enable = true;
      enableAgentMode = true;
      listenAddress = cfg.host;
      inherit (cfg) port;
      extraFlags = [ "--log.level=warn" ];
      # Checked by promtool when the system is built, together with the targets.
      configText = import ../prometheus-yml.nix {
        text = builtins.readFile ../../config/prometheus/prometheus.yml;
        inherit (cfg) mimirUrl;
        targets = "${targets}";
      };
    };
    networking.firewall.allowedTCPPorts = lib.optional cfg.openFirewall cfg.port;

    systemd.services.prometheus = units.theirs { inherit (cfg) memoryMax; };
  };
}
