# What the services are told, beside what the files of config/ ask for.
{
  self,
  lib,
  pkgs,
  machine,
  appliance,
  shop,
  services,
  unit,
  matches,
  firsts,
  read,
  components,
  own,
  ...
}:
let
  inherit (builtins)
    all
    attrNames
    concatMap
    elem
    filter
    mapAttrs
    match
    readFile
    split
    ;
in
{
  promises = {
    # The appliance keeps everything on its own disk.
    "Loki, Mimir and Tempo are told every variable of their files but those of object storage, and no other" =
      all (
        name:
        attrNames (own services.${name}.environment) == filter (
          variable: match "S3_.*|.*_BUCKET|LOKI_OBJECT_STORE|(MIMIR|TEMPO)_STORAGE" variable == null
        ) (attrNames components.${name})
      ) (attrNames components);
    "what they are told by default is what their files say by default" = all (
      name:
      let
        told = own services.${name}.environment;
      in
      all (variable: told.${variable} == components.${name}.${variable}) (
        # The appliance's rules are in the store.
        filter (
          variable:
          !elem variable [
            "MIMIR_ALERTMANAGER"
            "MIMIR_RULES"
          ]
        ) (attrNames told)
      )
    ) (attrNames components);
    "Alloy is told every variable of its file, and no other" =
      attrNames (own services.alloy.environment) == attrNames (
        lib.genAttrs (firsts "sys.env\\(\"([A-Z_]+)\"\\)" (read "alloy/traces.alloy")) (_: null)
      );
    "Grafana is told every variable of its files" =
      let
        told = attrNames services.grafana.environment;
        settings = appliance.services.grafana.settings;
        replaced = section: name: elem "GF_${lib.toUpper section}_${lib.toUpper name}" told;
        asked = concatMap (
          section:
          concatMap (
            name:
            if replaced section name then
              [ ]
            else
              firsts "\\$__env\\{([A-Z_]+)}" (toString settings.${section}.${name})
          ) (attrNames settings.${section})
        ) (attrNames settings);
        provisioned = concatMap (file: firsts "\\$\\{([A-Z_]+)}" (read "grafana/${file}")) [
          "provisioning/dashboards/dashboards.yaml"
          "provisioning/datasources/datasources.yaml"
        ];
      in
      asked != [ ] && provisioned != [ ] && all (variable: elem variable told) (asked ++ provisioned);
    "grafana.ini becomes Grafana's settings, truth values as such" =
      let
        inherit (appliance.services.grafana) settings;
      in
      settings.security.disable_gravatar
      && settings."auth.anonymous" == { enabled = false; }
      && settings.users.auto_assign_org_role == "Viewer"
      && settings.security.admin_password == "$__env{GRAFANA_ADMIN_PASSWORD}"
      &&
        import ../../../nix/ini.nix "# x\n; y\n\n[a.b]\n k = 1 = 2 \nn=08\n[c]\nempty=\nport = 80\n[a.b]\nz = true"
        == {
          "a.b" = {
            k = "1 = 2";
            n = "08";
            z = true;
          };
          c = {
            empty = "";
            port = 80;
          };
        };
    "Mimir is told of its newer ring where it knows it, so that it starts without a network" =
      let
        flags =
          version:
          (machine [
            self.nixosModules.appliance
            {
              services.mimir.package = pkgs.mimir // {
                inherit version;
              };
            }
          ]).services.mimir.extraFlags;
      in
      flags "3.0.6" == [ "-config.expand-env=true" ]
      &&
        flags "3.1.2" == [
          "-config.expand-env=true"
          "-querier.ring.instance-addr=127.0.0.1"
          "-querier.ring.store=inmemory"
        ];
    "Prometheus asks the jobs of config/, at the ports that they have there" =
      mapAttrs (_: map (address: builtins.elemAt (split ":" address) 2)) shop.prometheus.targets
      == builtins.listToAttrs (
        map
          (found: {
            name = builtins.elemAt found 1;
            value = [ (builtins.elemAt found 0) ];
          })
          (
            matches "targets: \\[[a-z-]+:([0-9]+)]\n  labels: \\{ job: ([a-z-]+) }" (
              read "prometheus/targets.yml"
            )
          )
      );
    "Prometheus reads its targets from the store and writes to Mimir on the machine" =
      let
        text = appliance.services.prometheus.configText;
      in
      matches "files: \\[/nix/store/[^]]*targets.json]" text != [ ]
      && matches "url: http://127.0.0.1:9009/api/v1/push" text != [ ];
    "our services are told variables that docs/configuration.md has" =
      all
        (
          service:
          let
            document = readFile ../../../docs/configuration.md;
            # From the service's heading to the next one.
            section = builtins.elemAt (split "\n## " document) (if service == "backend" then 2 else 4);
            known = firsts "\n\\| `([A-Z_]+)` \\|" section;
          in
          known != [ ] && all (variable: elem variable known) (attrNames (own (unit service).environment))
        )
        [
          "backend"
          "ml-service"
        ];
  };
}
