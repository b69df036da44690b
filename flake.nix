{
  description = "ShopMicro: a small e-commerce system and its observability, as one reproducible appliance";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      forEachSystem =
        f: lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: f nixpkgs.legacyPackages.${system});

      # What the images say they were built from: nothing, where the tree has changes that are not committed.
      packages =
        pkgs:
        import ./nix/packages.nix {
          inherit pkgs;
          revision = self.rev or null;
        };

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
      packages = forEachSystem (
        pkgs:
        (packages pkgs).outputs
        // import ./nix/disks.nix {
          inherit pkgs self;
          appliance = appliance pkgs;
        }
      );

      apps = forEachSystem (
        pkgs:
        lib.mapAttrs (_: program: {
          type = "app";
          program = lib.getExe program;
          meta = { inherit (program.meta) description; };
        }) (packages pkgs).programs
        // {
          vm = {
            type = "app";
            program = lib.getExe (appliance pkgs).config.system.build.vm;
            meta.description = "the appliance in QEMU; docs/appliance.md says on which ports it answers";
          };
        }
      );

      overlays.default = final: _: { shopmicro = (packages final).outputs; };

      nixosModules = lib.mapAttrs' module (builtins.readDir ./nix/modules);

      nixosConfigurations.appliance = appliance nixpkgs.legacyPackages.x86_64-linux;

      checks = forEachSystem (
        pkgs:
        import ./nix/checks.nix {
          inherit pkgs self;
          packages = packages pkgs;
        }
      );

      devShells = forEachSystem (pkgs: {
        default = import ./nix/devshell.nix { inherit pkgs; };
      });

      formatter = forEachSystem (pkgs: pkgs.nixfmt-tree);
    };
}
