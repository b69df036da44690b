# What the tests in tests/vm share: machines, a customer, and the shape of a test.
{ pkgs, self }:
let
  inherit (pkgs) lib;
  packages = self.packages.${pkgs.stdenv.hostPlatform.system};
  # What machines of a test are given; in the store, since nothing here is secret.
  secret = name: "${pkgs.writeText name "not-secret-${name}"}";
in
rec {
  inherit packages secret;

  # A test is its machines and its script, which finds the classes of shop.py.
  test =
    name:
    {
      nodes,
      testScript,
      minutes ? 20,
    }:
    {
      inherit name nodes;
      globalTimeout = minutes * 60;
      testScript = builtins.readFile ./shop.py + testScript;
    };

  machine = memorySize: {
    virtualisation = {
      inherit memorySize;
      cores = 2;
      diskSize = lib.mkDefault 4096;
    };
  };

  appliance = {
    imports = [
      self.nixosModules.appliance
      (machine 3072)
    ];
    # The suites register more people from one address than a household has.
    services.shopmicro.backend.extraEnvironment = manyPeople;
    # As on any machine, who uses too much memory is killed and started again; the tests' machines would stop for good.
    boot.kernel.sysctl."vm.panic_on_oom" = 0;
  };
  manyPeople.RATE_LIMIT_AUTH = "600 burst 600";

  # Somebody on another machine, with the acceptance suite and a crowd.
  customer = {
    imports = [ (machine 512) ];
    environment.systemPackages = [
      packages.acceptance
      packages.stack
    ];
  };

  # A part of the shop on a machine of its own; `modules` are those of the flake, by name.
  part =
    memorySize: modules: settings:
    { nodes, ... }:
    {
      imports = [ (machine memorySize) ] ++ map (name: self.nixosModules.${name}) modules;
      services.shopmicro = settings nodes;
    };

  # A service that other machines ask.
  open = {
    enable = true;
    host = "0.0.0.0";
    openFirewall = true;
  };

  # Files as a directory of the store.
  tree =
    files:
    lib.fileset.toSource {
      root = ../..;
      fileset = lib.fileset.unions files;
    };
}
