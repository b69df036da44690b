"""Who asks: nobody, a customer or an admin, as the environment says (SHOP_ROLE).

What ends a session or an account is asked by customers made for the purpose, so that it does not end the run.
"""

import os
import uuid

import requests
import schemathesis

BACKEND = os.environ["BACKEND_URL"]
ROLE = os.environ["SHOP_ROLE"]
ACCOUNTS = {
    "customer": ("demo@shopmicro.example", "demo-customer-pass"),
    "admin": ("admin@shopmicro.example", "demo-admin-pass"),
}
COOKIE = "shopmicro_session"
ENDS = {
    ("post", "/api/users/logout"),
    ("patch", "/api/users/me"),
    ("delete", "/api/users/me"),
    ("put", "/api/users/me/password"),
    ("delete", "/api/users/me/sessions"),
    ("delete", "/api/users/me/sessions/{id}"),
}


def session(path, body):
    answer = requests.post(f"{BACKEND}{path}", json=body, timeout=30)
    answer.raise_for_status()
    return answer.cookies[COOKIE]


if ROLE != "nobody":

    @schemathesis.auth(refresh_interval=20)
    class Role:
        def get(self, case, context):
            email, password = ACCOUNTS[ROLE]
            return session("/api/users/login", {"email": email, "password": password})

        def set(self, case, data, context):
            if (case.method.lower(), case.path) in ENDS:
                body = {
                    "email": f"{uuid.uuid4().hex}@example.com",
                    "password": uuid.uuid4().hex,
                    "name": "Passing by",
                }
                data = session("/api/users", body)
            case.cookies = {**(case.cookies or {}), COOKIE: data}
