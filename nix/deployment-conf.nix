# What differs between deployments of nginx: where it listens, what it serves, whom it asks.
{
  listen,
  backends,
  web,
  ...
}:
''
  upstream backend {
  ${builtins.concatStringsSep "\n" (map (address: "    server ${address} max_fails=0;") backends)}
      keepalive 32;
  }
  server {
  ${builtins.concatStringsSep "\n" (map (address: "    listen ${address};") listen)}
      root ${web};
      include shop.conf;
  }
''
