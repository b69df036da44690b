# An order that the shop has confirmed is still there after the machine lost its power.
{ self, ... }:
{
  name = "orders-survive-a-power-cut";
  globalTimeout = 1200;

  nodes.shop = {
    imports = [ self.nixosModules.appliance ];
    virtualisation.memorySize = 2048;
    virtualisation.cores = 2;
  };

  testScript = ''
    import json

    api = "http://localhost/api"
    account = {"email": "survivor@shopmicro.example", "password": "a-long-enough-password"}
    login = json.dumps(account)
    registration = json.dumps(account | {"name": "Survivor"})
    order = json.dumps({
        "shipping_address": {"name": "Survivor", "line1": "1 High Street", "city": "Leeds", "postal_code": "LS1 1AA", "country": "GB"},
        "payment": {"card_number": "4242424242424242"},
    })

    def ask(method, path, body=None, key="none"):
        data = f"-H 'Content-Type: application/json' -d '{body}'" if body else ""
        return json.loads(shop.succeed(
            f"curl -sSf -X {method} -b /root/jar -c /root/jar -H 'Idempotency-Key: {key}' {data} {api}{path}"
        ))

    shop.wait_until_succeeds(f"curl -sf {api}/products", timeout=300)
    ask("POST", "/users", registration)
    product = ask("GET", "/products?in_stock=true&limit=1")["items"][0]["id"]
    ask("PUT", f"/cart/items/{product}", '{"quantity": 1}')
    bought = ask("POST", "/orders", order, key="survivor-1")

    shop.crash()
    shop.start()
    shop.wait_until_succeeds(f"curl -sf {api}/products", timeout=300)

    with subtest("the customer and the order are there"):
        ask("POST", "/users/login", login)
        assert ask("GET", "/orders")["items"][0]["id"] == bought["id"]

    with subtest("the same order, sent again, is not a second one"):
        assert ask("POST", "/orders", order, key="survivor-1")["id"] == bought["id"]
        assert len(ask("GET", "/orders")["items"]) == 1
  '';
}
