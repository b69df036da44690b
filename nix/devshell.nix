# What `make` needs, at the versions of the flake: compilers, and every server that it starts.
{ pkgs }:
pkgs.mkShell {
  # See checks.nix.
  hardeningDisable = [ "fortify" ];
  packages =
    with pkgs;
    [
      cargo
      clippy
      rustc
      rustfmt
      nodejs
      go
      jq
      kubectl
      nix
      prometheus.cli
      python3
    ]
    ++ import ./stack-programs.nix pkgs;
}
