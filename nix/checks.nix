# Each file of tests/vm is a check. It is given the flake, and is a test as NixOS knows them.
{ pkgs, self }:
let
  inherit (pkgs) lib;
  check = file: _: {
    name = lib.removeSuffix ".nix" file;
    value = pkgs.testers.runNixOSTest (import ../tests/vm/${file} { inherit pkgs self; });
  };
in
lib.mapAttrs' check (builtins.readDir ../tests/vm)
