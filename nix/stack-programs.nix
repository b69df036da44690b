# What `stack run --observability` starts that is not ours; it finds them in PATH.
pkgs: with pkgs; [
  nginx
  postgresql_15
  redis
  grafana-loki
  mimir
  tempo
  grafana-alloy
  grafana
  prometheus
  prometheus-nginx-exporter
  prometheus-postgres-exporter
  prometheus-redis-exporter
]
