# What `make` needs, at the versions of the flake.
{ pkgs }:
pkgs.mkShell {
  packages = with pkgs; [
    cargo
    clippy
    rustc
    rustfmt
    nodejs
    go
    postgresql_15
    redis
    nginx
    kubectl
  ];
}
