# From another machine, through the firewall, everything that the acceptance suite promises of a shop.
{ pkgs, self }:
{
  name = "customers-can-buy";
  globalTimeout = 1200;

  nodes = {
    shop = {
      imports = [ self.nixosModules.appliance ];
      # The suite registers more people from one address than a household has.
      services.shopmicro.backend.extraEnvironment.RATE_LIMIT_AUTH = "600 burst 600";
      virtualisation.memorySize = 2048;
      virtualisation.cores = 2;
    };
    customer.environment.systemPackages = [
      self.packages.${pkgs.stdenv.hostPlatform.system}.acceptance
    ];
  };

  testScript = ''
    start_all()
    shop.wait_for_unit("shopmicro-backend.service")
    customer.wait_for_unit("multi-user.target")
    # Ready once the recommender has been trained, too.
    shop.wait_until_succeeds("curl -sf http://127.0.0.1:3002/health/ready", timeout=300)
    customer.wait_until_succeeds("curl -sf http://shop/health", timeout=60)

    with subtest("the acceptance suite passes"):
        print(customer.succeed("SHOP_URL=http://shop shopmicro-acceptance"))

    with subtest("only the shop can be reached"):
        for port in [3001, 3002, 5432, 6379]:
            customer.fail(f"nc -z -w 2 shop {port}")
  '';
}
