# The services on machines of their own. What was confirmed to a customer outlives a backend and the database's power.
{ pkgs, self }:
let
  machines = import ../machines { inherit pkgs self; };
  inherit (machines) open part secret;
  address = nodes: name: nodes.${name}.networking.primaryIPAddress;
  replicas = [
    "one"
    "two"
  ];
  # By address: a name has one of each protocol here, and nothing listens at IPv6.
  backends = nodes: map (name: "${address nodes name}:3001") replicas;
  redisUrlFile = secret "redis://:not-secret-redis@database:6379";

  backend = part 768 [ "backend" ] (nodes: {
    backend = open // {
      environment = "development";
      seed = true;
      postgresUrlFile = secret "postgresql://shopmicro:not-secret-database@${address nodes "database"}/shopmicro";
      inherit redisUrlFile;
      mlServiceUrl = "http://recommender:3002";
      lokiUrl = "http://watch:3100";
      tracesUrl = "http://watch:4318/v1/traces";
      trustedProxies = [ (address nodes "web") ];
      extraEnvironment = machines.manyPeople;
    };
  });
in
machines.test "distributed" {
  minutes = 30;
  nodes = {
    database = part 1024 [ "postgresql" "redis" ] (nodes: {
      postgresql = removeAttrs open [ "host" ] // {
        clients = map (name: "${address nodes name}/32") replicas;
        passwordFile = secret "database";
      };
      redis = open // {
        passwordFile = secret "redis";
      };
    });
    one = backend;
    two = backend;
    recommender = part 512 [ "ml-service" ] (_: {
      ml-service = open // {
        backendUrl = "http://two:3001";
        inherit redisUrlFile;
      };
    });
    web = part 512 [ "frontend" ] (nodes: {
      frontend = open // {
        backends = backends nodes;
      };
    });
    watch = part 1536 [ "loki" "mimir" "tempo" "alloy" "prometheus" ] (nodes: {
      loki = open;
      mimir.enable = true;
      tempo.enable = true;
      alloy = open;
      prometheus = {
        enable = true;
        targets.backend = backends nodes;
      };
    });
    inherit (machines) customer;
  };

  testScript = ''
    start_all()
    for machine in [one, two]:
        machine.wait_for_unit("shopmicro-backend")
    web.wait_for_unit("shopmicro-frontend")
    customer.wait_until_succeeds(curl("http://web/api/products?in_stock=true"), timeout=300)
    recommender.wait_until_succeeds(curl("http://127.0.0.1:3002/health/ready"), timeout=300)

    ada = Customer(customer, "http://web")
    ada.register()
    confirmed: list[str] = []

    def buy_until_confirmed(count):
        """As a customer does who presses the button again: the key stays the same until there is an answer."""
        for number in range(count):
            key = f"order-{len(confirmed)}-{number}"
            customer.wait_until_succeeds(ada.command("GET", "/cart"), timeout=120)
            ada.fill_cart()
            confirmed.append(json.loads(customer.wait_until_succeeds(ada.checkout(key), timeout=120))["id"])

    # A crowd besides, for as long as all of this takes.
    customer.succeed("systemd-run --unit=crowd $(command -v stack) load --url http://web --rate 2 --duration 300")

    with subtest("both backends serve, and are seen by Prometheus"):
        buy_until_confirmed(5)
        both = query("http://127.0.0.1:9009/prometheus/api/v1/query", 'count(up{job="backend"} == 1) == 2')
        watch.wait_until_succeeds(f"{both} | grep '\"value\"'", timeout=120)
        lines = curl("http://127.0.0.1:3100/loki/api/v1/labels")
        watch.wait_until_succeeds(f"{lines} | grep service", timeout=120)

    with subtest("the shop sells while a backend is dead"):
        one.crash()
        buy_until_confirmed(5)

    with subtest("the shop sells again after the database's power was cut"):
        database.crash()
        database.start()
        buy_until_confirmed(5)

    with subtest("a backend that comes back joins in"):
        one.start()
        one.wait_until_succeeds(curl("http://127.0.0.1:3001/health/ready"), timeout=300)
        buy_until_confirmed(5)

    with subtest("nothing that was confirmed is lost, and nothing is there twice"):
        assert len(set(confirmed)) == 20, confirmed
        assert ada.orders() == sorted(confirmed)
  '';
}
