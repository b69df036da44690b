# config/prometheus/prometheus.yml for a deployment: Prometheus reads no variables, so its two addresses are replaced.
{
  text,
  mimirUrl,
  targets,
}:
let
  replace =
    from: to: text:
    if builtins.length (builtins.split from text) == 3 then
      builtins.replaceStrings [ from ] [ to ] text
    else
      throw "prometheus.yml should have ${from} once";
in
replace "http://mimir:9009" mimirUrl (replace "targets.yml" targets text)
