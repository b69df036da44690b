# Rewrites a package-lock.json so that npm finds every package in a local tarball and asks no registry.
# The lock has no addresses, which `npm ci --offline` would need; name, version and integrity are all
# that a fetcher needs. `tarball` is such a fetcher: { name, version, integrity } -> a path.
tarball: lock:
let
  # "node_modules/a/node_modules/@b/c" -> "@b/c"
  nameOf =
    path:
    let
      parts = builtins.filter builtins.isString (builtins.split "node_modules/" path);
    in
    builtins.elemAt parts (builtins.length parts - 1);

  rewrite =
    path: entry:
    # The project itself, what travels inside the tarball of its parent, and what npm will not install here.
    if path == "" || entry.inBundle or false || !(builtins.elem "linux" (entry.os or [ "linux" ])) then
      entry
    else if entry ? version && entry ? integrity then
      entry
      // {
        # An alias has another name than the directory that it is installed in.
        resolved = "file:${
          tarball {
            name = entry.name or (nameOf path);
            inherit (entry) version integrity;
          }
        }";
      }
    else
      throw "package-lock.json: ${path} has no version and integrity, so it cannot be fetched";
in
if lock.lockfileVersion == 3 then
  lock // { packages = builtins.mapAttrs rewrite lock.packages; }
else
  throw "package-lock.json: version ${toString lock.lockfileVersion} of the format is not known here, only 3"
