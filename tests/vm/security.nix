# What the appliance leaves open, what its units may do, and who gets in.
{ pkgs, self }:
let
  machines = import ../machines { inherit pkgs self; };
in
machines.test "security" {
  nodes = {
    shop = machines.appliance;
    stranger = machines.customer;
  };

  testScript = ''
    start_all()
    shop.wait_for_unit("multi-user.target")
    shop.wait_until_succeeds(curl("http://127.0.0.1/api/products"), timeout=300)
    shop.wait_until_succeeds(curl("http://127.0.0.1:3000/api/health"), timeout=120)
    shop.wait_for_unit("shopmicro-admin")
    stranger.wait_for_unit("multi-user.target")

    with subtest("from outside there are two ports and no more"):
        listening = shop.succeed("ss --tcp --listening --numeric --no-header | awk '{ print $4 }'").split()
        ports = sorted({address.rsplit(":", 1)[1] for address in listening}, key=int)
        for port in ports:
            reach = stranger.succeed if port in ["80", "3000"] else stranger.fail
            reach(f"nc -z -w 2 shop {port}")

    with subtest("whatever is not one of them listens on the loopback alone"):
        for address in listening:
            host, port = address.rsplit(":", 1)
            assert port in ["80", "3000"] or host.startswith("127.") or host in ["[::1]", "[::ffff:127.0.0.1]"], address

    with subtest("units are confined"):
        for unit in ["shopmicro-backend", "shopmicro-ml-service", "shopmicro-frontend"]:
            shop.succeed(f"systemd-analyze security --no-pager --threshold=25 {unit}.service")
        for unit in ["loki", "mimir", "tempo", "alloy", "prometheus", "grafana"]:
            shop.succeed(f"systemd-analyze security --no-pager --threshold=40 {unit}.service")

    with subtest("nothing of ours runs as root"):
        for unit in ["backend", "ml-service", "frontend"]:
            process = shop.succeed(f"systemctl show --property=MainPID --value shopmicro-{unit}").strip()
            assert shop.succeed(f"stat --format=%u /proc/{process}").strip() != "0", unit

    with subtest("no password is one that everybody knows"):
        for password in ["admin", "grafana", "password"]:
            stranger.fail(curl("http://shop:3000/api/user", "--user", f"admin:{password}"))
        for account, password in [("admin", "demo-admin-pass"), ("demo", "demo-customer-pass")]:
            who = json.dumps({"email": f"{account}@shopmicro.example", "password": password})
            stranger.fail(curl("http://shop/api/users/login", "--json", who))

    with subtest("the ones that were made up work, and root alone can read them"):
        directory = "/var/lib/shopmicro-secrets"
        secrets = [shop.succeed(f"cat {directory}/{owner}-admin-password").strip() for owner in ["grafana", "shop"]]
        stranger.succeed(curl("http://shop:3000/api/user", "--user", f"admin:{secrets[0]}"))
        who = json.dumps({"email": "admin@shopmicro.example", "password": secrets[1]})
        stranger.succeed(curl("http://shop/api/users/login", "--json", who))
        shop.fail(f"runuser --user=nobody -- cat {directory}/shop-admin-password")
        for secret in secrets:
            shop.fail(f"journalctl --boot --no-pager | grep --fixed-strings {shlex.quote(secret)}")

    with subtest("metrics and internals are not told to strangers"):
        for path in ["/metrics", "/internal/catalogue", "/nginx_status"]:
            page = curl(f"http://shop{path}")
            stranger.fail(f"{page} | grep --extended-regexp '^(shop|http)_|\"sku\"|Active connections'")
  '';
}
