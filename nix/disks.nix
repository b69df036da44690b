# The appliance as disks, and the options of its modules as a page.
{
  pkgs,
  self,
  appliance,
}:
let
  inherit (pkgs) lib;
  inherit (appliance.config.system.build) images;
in
{
  # Boots where the firmware is the usual one of virtual machines: a BIOS on PCs, UEFI on ARM.
  appliance-qcow2 = if pkgs.stdenv.hostPlatform.isx86_64 then images.qemu else images.qemu-efi;
  appliance-raw-efi = images.raw-efi;
  appliance-iso = images.iso;

  options =
    (pkgs.nixosOptionsDoc {
      options = { inherit (appliance.options.services) shopmicro; };
      # Paths in the repository, and none of the store, which would build the page anew at each change.
      transformOptions =
        option:
        option
        // {
          declarations = map (file: lib.removePrefix "${self}/" (toString file)) option.declarations;
        };
    }).optionsCommonMark;
}
