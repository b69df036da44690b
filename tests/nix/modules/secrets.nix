# Secrets, and what units may do.
{
  appliance,
  withSecrets,
  services,
  unit,
  ...
}:
let
  inherit (builtins)
    all
    attrNames
    elem
    filter
    match
    ;
in
{
  promises = {
    "a secret stays out of the store, and reaches its reader by systemd alone" =
      let
        backend = withSecrets.systemd.services.shopmicro-backend;
      in
      !backend.environment ? POSTGRES_URL
      && backend.environment.POSTGRES_URL_FILE == "%d/POSTGRES_URL"
      && backend.serviceConfig.LoadCredential == [ "POSTGRES_URL:/run/keys/postgres-url" ]
      &&
        withSecrets.systemd.services.shopmicro-admin.serviceConfig.LoadCredential == [
          "POSTGRES_URL:/run/keys/postgres-url"
          "password:/run/keys/shop-admin"
        ]
      &&
        withSecrets.systemd.services.grafana.serviceConfig.LoadCredential == [
          "grafana-admin-password:/run/keys/admin-password"
          "grafana-secret-key:/run/keys/secret-key"
        ];
    "secrets are made up where none is given, before they are read, and only then" =
      let
        inherit (services) grafana shopmicro-secrets;
        directory = "/var/lib/${shopmicro-secrets.serviceConfig.StateDirectory}";
      in
      builtins.sort builtins.lessThan appliance.services.shopmicro.secrets.generate == [
        "grafana-admin-password"
        "grafana-secret-key"
        "shop-admin-password"
      ]
      && (unit "admin").serviceConfig.LoadCredential == [ "password:${directory}/shop-admin-password" ]
      && elem "shopmicro-secrets.service" (unit "admin").requires
      && elem "shopmicro-secrets.service" (unit "admin").after
      &&
        grafana.serviceConfig.LoadCredential == [
          "grafana-admin-password:${directory}/grafana-admin-password"
          "grafana-secret-key:${directory}/grafana-secret-key"
        ]
      && grafana.requires == [ "shopmicro-secrets.service" ]
      && grafana.after == [ "shopmicro-secrets.service" ]
      && shopmicro-secrets.serviceConfig.StateDirectoryMode == "0700"
      && shopmicro-secrets.serviceConfig.UMask == "0077"
      && !withSecrets.systemd.services ? shopmicro-secrets;
    "the first admin is made though the backend needs several tries" =
      let
        admin = unit "admin";
      in
      !elem "shopmicro-backend.service" admin.requires
      && elem "shopmicro-backend.service" admin.wants
      && elem "shopmicro-backend.service" admin.after
      && admin.serviceConfig.Restart == "on-failure"
      && admin.startLimitIntervalSec == 0;
    "Grafana's password and key are read from files" =
      services.grafana.environment.GF_SECURITY_ADMIN_PASSWORD == "$__file{%d/grafana-admin-password}"
      && services.grafana.environment.GF_SECURITY_SECRET_KEY == "$__file{%d/grafana-secret-key}";
    "every unit of ours is confined, and those that serve do not run as root" = all (
      name:
      let
        inherit (services.${name}) serviceConfig;
      in
      serviceConfig.ProtectSystem == "strict"
      && serviceConfig.NoNewPrivileges
      && serviceConfig.SystemCallFilter != [ ]
      && (
        serviceConfig.Type or "" == "oneshot"
        || serviceConfig.DynamicUser or false
        || serviceConfig.User or "root" != "root"
      )
    ) (filter (name: match "shopmicro-.*" name != null) (attrNames services));
    "what nixpkgs leaves open of its own units is closed" =
      services.alloy.serviceConfig.SupplementaryGroups == [ ]
      &&
        all
          (
            name:
            let
              inherit (services.${name}) serviceConfig;
            in
            serviceConfig.ProtectSystem == "strict"
            && serviceConfig.RestrictNamespaces
            && elem serviceConfig.CapabilityBoundingSet [
              ""
              [ "" ]
            ]
          )
          [
            "alloy"
            "grafana"
            "loki"
            "mimir"
            "prometheus"
            "prometheus-nginx-exporter"
            "prometheus-postgres-exporter"
            "prometheus-redis-exporter"
            "tempo"
          ];
  };
}
