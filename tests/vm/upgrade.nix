# A shop of an older version, with an order in it, is brought up to date by starting the present one.
{ pkgs, self }:
let
  machines = import ../machines { inherit pkgs self; };
  migrations = machines.tree [ ../../src/backend/db/migrations ];
in
machines.test "upgrade" {
  nodes.shop = machines.appliance;

  testScript = ''
    OLD, PRESENT = 5, ${toString (builtins.length (builtins.attrNames (builtins.readDir ../../src/backend/db/migrations)))}

    def ask(sql):
        psql = "psql --no-psqlrc --tuples-only --no-align --dbname=shopmicro"
        return shop.succeed(f"runuser --user=postgres -- {psql} --command={shlex.quote(sql)}").strip()

    def wait_for_shop():
        shop.wait_until_succeeds(curl("http://127.0.0.1/api/products"), timeout=300)

    wait_for_shop()
    ada = Customer(shop, "http://127.0.0.1")
    ada.register()
    order = ada.buy("before")
    stock = ask("select sum(stock) from products")

    with subtest("the shop of before has the older schema and the same data"):
        shop.succeed("systemctl stop shopmicro-backend shopmicro-ml-service")
        older = f"bash ${../machines/older-schema} ${migrations}/src/backend/db/migrations {OLD} ${../../config/postgres/init.sql}"
        shop.succeed(f"runuser --user=postgres -- {older}")
        assert ask("select max(version) from refinery_schema_history") == str(OLD)

    with subtest("the present version brings it up to date"):
        shop.succeed("systemctl start shopmicro-backend shopmicro-ml-service")
        wait_for_shop()
        assert ask("select max(version) from refinery_schema_history") == str(PRESENT)

    with subtest("customers, orders and stock are as before"):
        ada.log_in()
        assert ada.orders() == [order]
        assert ask("select sum(stock) from products") == stock

    with subtest("an order of before, sent again, is not a second one"):
        assert json.loads(shop.succeed(ada.checkout("before")))["id"] == order
        assert ada.orders() == [order]

    with subtest("and the shop sells"):
        after = ada.buy("after")
        assert ada.orders() == sorted([order, after])
  '';
}
