import json
import shlex

ADDRESS = {"name": "Ada", "line1": "1 High Street", "city": "Leeds", "postal_code": "LS1 1AA", "country": "GB"}
CARD = "4242424242424242"
# The money is taken and the answer is lost, so that a checkout takes seconds: its trace is always kept.
SLOW_CARD = "4000000000000341"


def curl(url, *options):
    """A command that prints what the URL answers, and fails where it answers an error."""
    return " ".join(["curl", "--silent", "--show-error", "--fail", "--max-time", "30", *map(shlex.quote, [*options, url])])


def query(url, expression):
    """A command that prints what Mimir or Loki answers to an expression."""
    return curl(url, "--get", "--data-urlencode", f"query={expression}")


class Customer:
    """Somebody on a machine who has a browser and an account."""

    def __init__(self, machine, url, name="ada"):
        self.machine, self.url, self.name = machine, url, name
        # Without the name, of which no password may be made.
        self.password = "tea-at-four-in-the-afternoon"

    def command(self, method, path, body=None, *options):
        jar = f"/tmp/{self.name}.jar"
        sent = ["--json", json.dumps(body)] if body is not None else []
        return curl(f"{self.url}/api{path}", "--request", method, "--cookie", jar, "--cookie-jar", jar, *sent, *options)

    def ask(self, method, path, body=None, *options):
        text = self.machine.succeed(self.command(method, path, body, *options))
        return json.loads(text) if text else None

    def account(self):
        return {"email": f"{self.name}@shopmicro.example", "password": self.password}

    def register(self):
        self.ask("POST", "/users", self.account() | {"name": self.name})

    def log_in(self):
        self.ask("POST", "/users/login", self.account())

    def fill_cart(self):
        product = self.ask("GET", "/products?in_stock=true&limit=1")["items"][0]["id"]
        self.ask("PUT", f"/cart/items/{product}", {"quantity": 1})

    def checkout(self, key, card=CARD, trace=None):
        """The command that orders what is in the cart; sent twice with the same key it is one order."""
        order = {"shipping_address": ADDRESS, "payment": {"card_number": card}}
        headers = ["--header", f"Idempotency-Key: {key}"]
        if trace:
            headers += ["--header", f"traceparent: 00-{trace}-00f067aa0ba902b7-01"]
        return self.command("POST", "/orders", order, *headers)

    def buy(self, key, card=CARD, trace=None):
        self.fill_cart()
        return json.loads(self.machine.succeed(self.checkout(key, card, trace)))["id"]

    def orders(self):
        return sorted(order["id"] for order in self.ask("GET", "/orders?limit=100")["items"])


class Grafana:
    """Grafana's API, asked on a machine as its admin."""

    def __init__(self, machine, url, password):
        self.machine, self.url, self.user = machine, url, f"admin:{password}"

    def ask(self, path):
        command = curl(f"{self.url}/api{path}", "--user", self.user)
        return json.loads(self.machine.wait_until_succeeds(command, timeout=60))
