# What a machine needs to be one, beside its services. An image of a disk brings its own file systems and boot loader.
{ lib, ... }:
{
  networking.hostName = "shopmicro";
  system.stateVersion = "26.05";
  fileSystems."/" = lib.mkDefault {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  # It has no passwords, nor SSH: whoever sits at its console owns it anyway.
  services.getty.autologinUser = lib.mkDefault "root";
  boot = {
    loader.grub.device = lib.mkDefault "/dev/vda";
    # The disks of virtual machines, which the first stage must find; on ARM they are a part of the kernel.
    initrd.availableKernelModules = [
      "virtio_blk"
      "virtio_pci"
      "virtio_scsi"
    ];
  };
  # NixOS makes one for a CD in a BIOS, which installs something.
  image.modules.iso.isoImage = {
    makeEfiBootable = true;
    makeUsbBootable = true;
    appendToMenuLabel = "";
  };
}
