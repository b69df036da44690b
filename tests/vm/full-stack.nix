# The appliance, and everything that its documents promise of a shop that is watched, asked from another machine.
{ pkgs, self }:
let
  inherit (pkgs) lib;
  machines = import ../machines { inherit pkgs self; };
  dashboards = map (lib.removeSuffix ".json") (
    builtins.attrNames (builtins.readDir ../../config/grafana/dashboards)
  );
in
machines.test "full-stack" {
  minutes = 30;
  nodes = {
    shop = machines.appliance;
    inherit (machines) customer;
  };

  testScript = ''
    TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
    SERVICES = ["postgresql", "redis-shopmicro", "loki", "mimir", "tempo", "alloy", "prometheus", "grafana"]
    SERVICES += ["shopmicro-backend", "shopmicro-ml-service", "shopmicro-frontend"]
    start_all()

    with subtest("everything starts"):
        for unit in ["postgresql.target", *SERVICES]:
            shop.wait_for_unit(unit)
        shop.wait_until_succeeds(curl("http://127.0.0.1:3002/health/ready"), timeout=300)
        customer.wait_for_unit("multi-user.target")
        customer.wait_until_succeeds(curl("http://shop/health"), timeout=60)

    with subtest("the acceptance suite passes"):
        print(customer.succeed("SHOP_URL=http://shop shopmicro-acceptance", timeout=900))

    ada = Customer(customer, "http://shop")
    ada.register()
    order = ada.buy("first", SLOW_CARD, TRACE)

    with subtest("Tempo has the checkout's trace, under the number that the customer gave it"):
        trace = shop.wait_until_succeeds(curl(f"http://127.0.0.1:3200/api/traces/{TRACE}"), timeout=120)
        assert "/api/orders" in trace, trace
        assert "shopmicro-backend" in trace, trace

    with subtest("Loki has the checkout's lines"):
        lines = query("http://127.0.0.1:3100/loki/api/v1/query_range", f'{{service="shopmicro-backend"}} |= "{TRACE}"')
        shop.wait_until_succeeds(f"{lines} | grep {TRACE}", timeout=120)

    with subtest("Mimir has the checkout's metric, finds nothing down, and evaluates every rule"):
        mimir = "http://127.0.0.1:9009/prometheus/api/v1"
        metric = query(f"{mimir}/query", "sum(shop_orders_total) > 0")
        shop.wait_until_succeeds(f"{metric} | grep '\"value\"'", timeout=120)
        down = query(f"{mimir}/query", "up == 0")
        shop.wait_until_succeeds(f"{down} | grep '\"result\":\\[\\]'", timeout=120)
        rules = json.loads(shop.succeed(curl(f"{mimir}/rules")))
        for group in rules["data"]["groups"]:
            for rule in group["rules"]:
                assert not rule.get("lastError"), rule

    password = shop.succeed("cat /var/lib/shopmicro-secrets/grafana-admin-password").strip()
    grafana = Grafana(customer, "http://shop:3000", password)

    with subtest("Grafana finds each data source healthy"):
        for source in ["mimir", "loki"]:
            assert grafana.ask(f"/datasources/uid/{source}/health")["status"] == "OK", source
        # These two have no health of their own in Grafana, but answer through it.
        proxies = "/datasources/proxy/uid"
        assert grafana.ask(f"{proxies}/tempo/api/status/buildinfo")["version"], "no Tempo"
        assert grafana.ask(f"{proxies}/alertmanager/alertmanager/api/v2/status")["cluster"], "no Alertmanager"
        assert sorted(source["uid"] for source in grafana.ask("/datasources")) == ["alertmanager", "loki", "mimir", "tempo"]

    with subtest("each dashboard loads"):
        found = grafana.ask("/search?type=dash-db")
        assert len(found) == ${toString (builtins.length dashboards)}, found
        for dashboard in found:
            assert grafana.ask(f"/dashboards/uid/{dashboard['uid']}")["dashboard"]["panels"], dashboard

    with subtest("nothing needed more memory than it may have, nor fell"):
        for unit in SERVICES:
            restarts = shop.succeed(f"systemctl show --property NRestarts --value {unit}").strip()
            assert restarts == "0", f"{unit} was started again {restarts} times"

    with subtest("a power cut loses nothing that was confirmed"):
        shop.crash()
        shop.start()
        shop.wait_until_succeeds(curl("http://127.0.0.1/api/products"), timeout=300)
        ada.log_in()
        assert ada.orders() == [order]
        assert json.loads(customer.succeed(ada.checkout("first", SLOW_CARD)))["id"] == order
        assert ada.orders() == [order]
  '';
}
