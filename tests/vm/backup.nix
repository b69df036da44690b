# What was dumped comes back after the database is gone, and a dump that is broken changes nothing.
{ pkgs, self }:
let
  machines = import ../machines { inherit pkgs self; };
in
machines.test "backup" {
  nodes.shop = machines.appliance;

  testScript = ''
    def wait_for_shop():
        shop.wait_until_succeeds(curl("http://127.0.0.1/api/products"), timeout=300)

    wait_for_shop()
    ada = Customer(shop, "http://127.0.0.1")
    ada.register()
    kept = ada.buy("kept")

    with subtest("a dump is made, for the database's user alone"):
        shop.succeed("systemctl start shopmicro-backup.service")
        dump = shop.succeed("echo /var/backup/shopmicro/shopmicro-*.dump").strip()
        assert shop.succeed("stat --format='%U %a' /var/backup/shopmicro").strip() == "postgres 700"
        shop.succeed("systemctl list-timers --all | grep shopmicro-backup.timer")
        shop.wait_until_succeeds(curl("http://127.0.0.1:3001/metrics") + " | grep ^shop_backup_time_seconds", timeout=120)

    lost = ada.buy("lost")

    with subtest("a dump that is broken changes nothing"):
        shop.succeed(f"head --bytes=4096 {dump} >/tmp/broken.dump")
        shop.fail("shopmicro-restore /tmp/broken.dump")
        wait_for_shop()
        assert ada.orders() == sorted([kept, lost])

    with subtest("after the database was destroyed, the dump brings it back"):
        shop.succeed(f"cp {dump} /root/kept.dump")
        shop.succeed("systemctl stop shopmicro-backend shopmicro-ml-service postgresql.target postgresql-setup postgresql")
        shop.succeed("rm --recursive /var/lib/postgresql/15")
        shop.succeed("systemctl start postgresql.target")
        shop.succeed("shopmicro-restore /root/kept.dump", timeout=300)
        shop.succeed("systemctl start shopmicro-backend shopmicro-ml-service")
        wait_for_shop()
        ada.log_in()
        assert ada.orders() == [kept]

    with subtest("and the shop sells again"):
        again = ada.buy("again")
        assert ada.orders() == sorted([kept, again])
  '';
}
