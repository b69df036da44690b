# The options that several of the services have, each written once.
{ lib }:
let
  inherit (lib) mkOption types;
in
rec {
  host = mkOption {
    type = types.str;
    default = "127.0.0.1";
    example = "0.0.0.0";
    description = "The address to listen on.";
  };

  port =
    default: what:
    mkOption {
      type = types.port;
      inherit default;
      description = "The port ${what}.";
    };

  openFirewall = mkOption {
    type = types.bool;
    default = false;
    description = "Whether other machines may reach its ports. Who may is for the network to say: most of them ask for no password.";
  };

  memoryMax = mkOption {
    type = types.nullOr types.ints.positive;
    default = null;
    description = "The most memory that it may use, in MiB. What needs more is killed, and started again.";
  };

  # The exporter of metrics beside a service.
  exporter = default: {
    inherit host openFirewall memoryMax;
    port = port default "to listen on";
  };

  # Where another service is.
  url =
    default: description:
    mkOption {
      type = types.strMatching "https?://.*[^/]";
      inherit default description;
    };

  optionalUrl =
    example: description:
    mkOption {
      type = types.nullOr (types.strMatching "https?://.*[^/]");
      default = null;
      inherit example description;
    };

  # A secret is a file outside of the store, which everybody on the machine can read.
  secretFile =
    description:
    mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "/run/keys/secret";
      inherit description;
    };
}
