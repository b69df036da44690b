# What the units of the services have in common.
{ lib }:
let
  hardening = import ./hardening.nix;
in
rec {
  # A variable as systemd reads it: % begins a specifier.
  escape = lib.mapAttrs (_: lib.replaceStrings [ "%" ] [ "%%" ]);

  memory = mib: lib.optionalAttrs (mib != null) { MemoryMax = "${toString mib}M"; };

  # A unit of our own that serves.
  own =
    memoryMax: unit:
    {
      wantedBy = [ "multi-user.target" ];
      # However long it takes the others to come.
      startLimitIntervalSec = 0;
    }
    // unit
    // {
      serviceConfig =
        hardening
        // memory memoryMax
        // {
          Restart = "always";
          RestartSec = 1;
        }
        // unit.serviceConfig;
    };

  # What a unit of nixpkgs, whose program is in Go, does not say itself, be it as a default. `specifiers` are variables in
  # which % means what it means to systemd.
  theirs =
    {
      memoryMax,
      environment ? { },
      specifiers ? { },
      serviceConfig ? { },
    }:
    {
      startLimitIntervalSec = 0;
      environment =
        escape environment
        // specifiers
        # It collects its garbage more often as it comes near to the limit.
        // lib.optionalAttrs (memoryMax != null) {
          GOMEMLIMIT = "${toString (memoryMax * 9 / 10)}MiB";
        };
      serviceConfig =
        lib.mapAttrs (_: lib.mkOverride 1200) (
          # From /proc it learns when it was started, and from netlink its addresses.
          removeAttrs hardening [ "ProcSubset" ]
          // {
            RestartSec = 1;
            RestrictAddressFamilies = hardening.RestrictAddressFamilies ++ [ "AF_NETLINK" ];
          }
        )
        // {
          ProtectSystem = lib.mkForce "strict";
        }
        // memory memoryMax
        // serviceConfig;
    };
}
