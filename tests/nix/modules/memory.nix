# Memory and disks: what may be used, and that alerts know it.
{
  lib,
  appliance,
  shop,
  services,
  matches,
  firsts,
  lines,
  read,
  budgets,
  short,
  sum,
  ...
}:
let
  inherit (builtins)
    all
    attrNames
    attrValues
    filter
    ;
in
{
  promises = {
    "whatever serves may use the memory of config/budgets.json and no more" =
      let
        limits =
          lib.mapAttrs' (
            service:
            lib.nameValuePair (
              {
                postgresql = "postgresql";
                redis = "redis-shopmicro";
              }
              .${service} or "shopmicro-${service}"
            )
          ) budgets.shop
          // removeAttrs budgets.observability [ "exporters" ]
          // lib.genAttrs [
            "prometheus-nginx-exporter"
            "prometheus-postgres-exporter"
            "prometheus-redis-exporter"
          ] (_: budgets.observability.exporters);
      in
      attrNames limits == filter (name: !short name) (attrNames services)
      && all (name: services.${name}.serviceConfig.MemoryMax == "${toString limits.${name}}M") (
        attrNames limits
      );
    "PostgreSQL and Redis are told to stay well below their limits" =
      let
        redis = appliance.services.redis.servers.shopmicro.extraParams;
      in
      appliance.services.postgresql.settings.shared_buffers
      == "${toString (shop.postgresql.memoryMax / 3)}MB"
      &&
        builtins.tail (builtins.tail redis) == [
          "--maxmemory"
          "${toString (shop.redis.memoryMax * 6 / 10)}mb"
        ];
    "alerts on memory know the limits of the appliance" =
      let
        original = read "rules/budgets.yaml";
        changed = import ../../../nix/budget-rules.nix {
          text = original;
          budgets.memory = shop.mimir.memoryBudgets;
        };
        values =
          text:
          map (found: builtins.elemAt found 1) (
            matches "memory_budget:bytes\n +labels: \\{job: ([a-z-]+)}\n +expr: (vector[^\n]*)\n" text
          );
        expected = map (job: "vector(${toString shop.${job}.memoryMax} * 2 ^ 20)") [
          "backend"
          "ml-service"
        ];
      in
      values changed == expected
      && values original != expected
      && builtins.length (lines changed) == builtins.length (lines original);
    "the alert on the database's disk knows a disk that is not the cluster's" =
      let
        original = read "rules/budgets.yaml";
        changed = import ../../../nix/budget-rules.nix {
          text = original;
          budgets = {
            memory = { };
            disk.postgres = 40960;
          };
        };
        values = firsts "disk_budget:bytes\n +labels: \\{job: postgres}\n +expr: (vector[^\n]*)\n";
      in
      values original == [ "vector(10240 * 2 ^ 20)" ]
      && values changed == [ "vector(40960 * 2 ^ 20)" ]
      && builtins.length (lines changed) == builtins.length (lines original);
    "the shop's memory is at most 400 MiB, and all of it 2 GiB" =
      let
        exporters = 3 * budgets.observability.exporters;
        watching = sum (attrValues (removeAttrs budgets.observability [ "exporters" ]));
      in
      sum (attrValues budgets.shop) <= 400
      && sum (attrValues budgets.shop) + watching + exporters <= 2048
      && all (service: shop.${service}.memoryMax == (budgets.shop // budgets.observability).${service}) (
        filter (name: name != "backup") (attrNames shop)
      );
  };
}
