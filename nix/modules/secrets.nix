# Secrets that nobody gave are made up when the machine first starts, and kept on it alone.
_:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.shopmicro.secrets;
  inherit (lib) mkOption types;
in
{
  options.services.shopmicro.secrets = {
    generate = mkOption {
      type = types.listOf (types.strMatching "[a-z-]+");
      default = [ ];
      internal = true;
      description = "The names of the secrets to make up. Whoever reads one requires `shopmicro-secrets.service`.";
    };
    directory = mkOption {
      type = types.str;
      default = "/var/lib/shopmicro-secrets";
      readOnly = true;
      description = "Where secrets are that were made up. Root alone can read them.";
    };
  };

  config = lib.mkIf (cfg.generate != [ ]) {
    systemd.services.shopmicro-secrets = {
      description = "ShopMicro secrets";
      script = ''
        for name in ${toString cfg.generate}; do
          if [ ! -s "$name" ]; then
            # Under its name only once it is whole and on the disk.
            ${pkgs.coreutils}/bin/head -c 24 /dev/urandom | ${pkgs.coreutils}/bin/base64 >.new
            ${pkgs.coreutils}/bin/sync .new
            ${pkgs.coreutils}/bin/mv .new "$name"
          fi
        done
      '';
      serviceConfig = import ../hardening.nix // {
        Type = "oneshot";
        RemainAfterExit = true;
        StateDirectory = baseNameOf cfg.directory;
        StateDirectoryMode = "0700";
        WorkingDirectory = cfg.directory;
        PrivateNetwork = true;
      };
    };
  };
}
