# Mimir as config/mimir says it: metrics, and the rules of config/rules with their alerts.
_:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.mimir;
  options = import ../options.nix { inherit lib; };
  units = import ../units.nix { inherit lib; };
  configFile = ../../config/mimir/mimir.yaml;

  budgets = pkgs.writeText "budgets.yaml" (
    import ../budget-rules.nix {
      text = builtins.readFile (cfg.rules + "/budgets.yaml");
      budgets = {
        memory = cfg.memoryBudgets;
        disk = cfg.diskBudgets;
      };
    }
  );
  # The rules of a tenant lie in a directory of its name: `no_auth_tenant` of mimir.yaml.
  rules = pkgs.runCommand "mimir-rules" { nativeBuildInputs = [ pkgs.prometheus.cli ]; } ''
    mkdir -p $out/shopmicro
    cp ${cfg.rules}/*.yaml $out/shopmicro
    ${lib.optionalString (
      cfg.memoryBudgets != { } || cfg.diskBudgets != { }
    ) "cp --force ${budgets} $out/shopmicro/budgets.yaml"}
    promtool check rules $out/shopmicro/*.yaml
  '';
  flags = [
    "-config.expand-env=true"
  ]
  # A ring that Mimir 3.0 does not know, and refuses in a file: later ones look for a network, and end where there is none.
  ++ lib.optionals (lib.versionAtLeast config.services.mimir.package.version "3.1") [
    "-querier.ring.instance-addr=127.0.0.1"
    "-querier.ring.store=inmemory"
  ];
  environment = {
    # nixpkgs' unit keeps its state there.
    MIMIR_DIR = "/var/lib/mimir";
    MIMIR_ALERTMANAGER = "${cfg.alertmanager}";
    MIMIR_EVALUATION_INTERVAL = cfg.evaluationInterval;
    MIMIR_GRPC_PORT = toString cfg.grpcPort;
    MIMIR_HOST = cfg.host;
    MIMIR_PORT = toString cfg.port;
    MIMIR_RETENTION = cfg.retention;
    MIMIR_RULES = "${rules}";
  };
in
{
  options.services.shopmicro.mimir = {
    enable = lib.mkEnableOption "Mimir, which keeps the shop's metrics and raises alerts";
    inherit (options) host openFirewall memoryMax;
    port = options.port 9009 "of its API, to which metrics are pushed";
    grpcPort = options.port 9095 "by which its own parts speak with one another";
    retention = lib.mkOption {
      type = lib.types.str;
      default = "30d";
      description = "How long metrics are kept.";
    };
    rules = lib.mkOption {
      type = lib.types.path;
      default = ../../config/rules;
      defaultText = lib.literalMD "`config/rules`";
      description = "The directory of the rules.";
    };
    memoryBudgets = lib.mkOption {
      type = lib.types.attrsOf lib.types.ints.positive;
      default = { };
      example = {
        backend = 96;
      };
      description = "How much memory a job may use, in MiB, where it is not what the rules say: they alert before it is killed.";
    };
    diskBudgets = lib.mkOption {
      type = lib.types.attrsOf lib.types.ints.positive;
      default = { };
      example = {
        postgres = 40960;
      };
      description = "How much of its disk a job may use, in MiB, where it is not what the rules say: they alert before it is full.";
    };
    evaluationInterval = lib.mkOption {
      type = lib.types.str;
      default = "15s";
      description = "How often rules are evaluated that do not say it themselves.";
    };
    alertmanager = lib.mkOption {
      type = lib.types.path;
      default = ../../config/mimir/alertmanager.yaml;
      defaultText = lib.literalMD "`config/mimir/alertmanager.yaml`";
      description = "Who is told of which alert, as the Alertmanager reads it.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.mimir = {
      enable = true;
      inherit configFile;
      extraFlags = flags;
    };
    networking.firewall.allowedTCPPorts = lib.optional cfg.openFirewall cfg.port;

    # With `-modules` it reads and checks all of its configuration, and lists its parts in place of starting them.
    system.checks = [
      (pkgs.runCommand "mimir-config" { env = environment; } ''
        ${lib.getExe' config.services.mimir.package "mimir"} -modules ${lib.escapeShellArgs flags} -config.file=${configFile}
        touch $out
      '')
    ];

    systemd.services.mimir = units.theirs {
      inherit (cfg) memoryMax;
      inherit environment;
    };
  };
}
