# What a machine needs to be one, beside its services. An image of a disk brings its own file systems and boot loader.
{ lib, ... }:
{
  networking.hostName = "shopmicro";
  system.stateVersion = "26.05";
  fileSystems."/" = lib.mkDefault {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  boot.loader.grub.device = lib.mkDefault "/dev/vda";
}
