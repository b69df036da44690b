{
  description = "ShopMicro: a small e-commerce system and its observability, as one reproducible appliance";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      forEachSystem =
        f:
        lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: f nixpkgs.legacyPackages.${system});

      # Each file of nix/modules is a module; the key lets several others import the same one.
      module = file: _: {
        name = lib.removeSuffix ".nix" file;
        value = {
          key = "shopmicro/${file}";
          _file = ./nix/modules/${file};
          imports = [ (import ./nix/modules/${file} self) ];
        };
      };

      appliance =
        pkgs:
        lib.nixosSystem {
          modules = [
            self.nixosModules.appliance
            ./nix/machine.nix
            { nixpkgs.hostPlatform = pkgs.stdenv.hostPlatform.system; }
          ];
        };
    in
    {
      packages = forEachSystem (pkgs: import ./nix/packages.nix { inherit pkgs; });

      overlays.default = final: _: { shopmicro = import ./nix/packages.nix { pkgs = final; }; };

      apps = forEachSystem (pkgs: {
        default = {
          type = "app";
          program = lib.getExe self.packages.${pkgs.stdenv.hostPlatform.system}.default;
          meta.description = "the whole shop on this machine, without containers";
        };
        vm = {
          type = "app";
          program = lib.getExe (appliance pkgs).config.system.build.vm;
          meta.description = "the appliance in QEMU; the shop answers on port 8080 of this machine";
        };
      });

      nixosModules = lib.mapAttrs' module (builtins.readDir ./nix/modules);

      nixosConfigurations.appliance = appliance nixpkgs.legacyPackages.x86_64-linux;

      checks = forEachSystem (pkgs: import ./nix/checks.nix { inherit pkgs self; });

      devShells = forEachSystem (pkgs: { default = import ./nix/devshell.nix { inherit pkgs; }; });

      formatter = forEachSystem (pkgs: pkgs.nixfmt-tree);
    };
}
