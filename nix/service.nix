# What the modules of our two services have in common, so that each holds only what it has of its own.
{
  lib,
  pkgs,
  flake,
}:
let
  inherit (lib) mkOption types;
  options = import ./options.nix { inherit lib; };
  units = import ./units.nix { inherit lib; };
in
{
  options = name: port: {
    package = mkOption {
      type = types.package;
      default = flake.packages.${pkgs.stdenv.hostPlatform.system}.${name};
      defaultText = lib.literalMD "the flake's `${name}`";
      description = "The package to run.";
    };
    environment = mkOption {
      type = types.enum [
        "production"
        "development"
        "test"
      ];
      default = "production";
      description = ''
        The mode, which is also a label of its telemetry. `production` gives cookies that browsers send over TLS alone, and
        never seeds the demo accounts.
      '';
    };
    inherit (options) host openFirewall memoryMax;
    port = options.port port "to listen on";
    redisUrl = mkOption {
      type = types.str;
      default = "redis://127.0.0.1:6379";
      description = "Redis. Everyone on the machine can read this: for a password use `redisUrlFile`.";
    };
    redisUrlFile = options.secretFile ''
      A file outside of the store that holds the URL of Redis, in place of `redisUrl`.
    '';
    lokiUrl = options.optionalUrl "http://127.0.0.1:3100" ''
      Loki, which is given the log. The journal has it in any case.
    '';
    tracesUrl = options.optionalUrl "http://127.0.0.1:4318/v1/traces" ''
      Where traces go, by OTLP/HTTP: Alloy.
    '';
    extraEnvironment = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        LOG_LEVEL = "debug";
      };
      description = "Further environment variables, of those in docs/configuration.md.";
    };
  };

  # The service `name`, of which `settings` are the variables that it alone has, `urls` those that may hold a
  # password ({ url, file }: the file comes first), and `unit` what else systemd is told.
  config =
    {
      name,
      cfg,
      settings,
      urls,
      unit,
    }:
    let
      exe = lib.getExe cfg.package;
      hidden = lib.filterAttrs (_: url: url.file != null) urls;
      variables =
        settings
        // {
          HOST = cfg.host;
          PORT = toString cfg.port;
        }
        // lib.mapAttrs (_: { url, ... }: url) urls
        // lib.optionalAttrs (cfg.lokiUrl != null) { LOKI_URL = cfg.lokiUrl; }
        // lib.optionalAttrs (cfg.tracesUrl != null) {
          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = cfg.tracesUrl;
        }
        // cfg.extraEnvironment;
    in
    {
      # A mistake in the settings fails the build of the system, not its start. What a file holds is not looked at.
      system.checks = [
        (pkgs.runCommand "shopmicro-${name}-config" { env = variables; } ''
          ${exe} check-config
          touch $out
        '')
      ];

      networking.firewall.allowedTCPPorts = lib.optional cfg.openFirewall cfg.port;

      systemd.services."shopmicro-${name}" = units.own cfg.memoryMax (
        unit
        // {
          environment =
            units.escape (removeAttrs variables (lib.attrNames hidden))
            # %d is the directory of the unit's credentials.
            // lib.mapAttrs' (variable: _: lib.nameValuePair "${variable}_FILE" "%d/${variable}") hidden;
          serviceConfig = {
            ExecStart = "${exe} serve";
            LoadCredential = lib.mapAttrsToList (variable: { file, ... }: "${variable}:${file}") hidden;
          }
          // unit.serviceConfig;
        }
      );
    };
}
