# What the units of the services have in common.
{ lib }:
let
  hardening = import ./hardening.nix;
in
rec {
  # A variable as systemd reads it: % begins a specifier.
  environment = lib.mapAttrs (_: lib.replaceStrings [ "%" ] [ "%%" ]);

  memory = mib: lib.optionalAttrs (mib != null) { MemoryMax = "${toString mib}M"; };

  # A unit of our own that serves.
  own =
    memoryMax:
    hardening
    // memory memoryMax
    // {
      Restart = "always";
      RestartSec = 1;
    };

  # A unit of nixpkgs: what it does not say itself, be it as a default.
  theirs =
    memoryMax:
    lib.mapAttrs (_: lib.mkOverride 1200) (
      # Programs in Go learn from /proc when they were started, and from netlink their addresses.
      removeAttrs hardening [ "ProcSubset" ]
      // {
        RestrictAddressFamilies = hardening.RestrictAddressFamilies ++ [ "AF_NETLINK" ];
      }
    )
    // {
      ProtectSystem = lib.mkForce "strict";
    }
    // memory memoryMax;

  # Go collects its garbage more often as it comes near to its limit.
  goMemory =
    mib: lib.optionalAttrs (mib != null) { GOMEMLIMIT = "${toString (mib * 9 / 10)}MiB"; };
}
