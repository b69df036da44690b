# The three images: a program and what it links to, nothing else; no shell, no package manager.
# They run as a numeric user, from a read-only root, and carry no time of build.
{
  pkgs,
  version,
  revision,
  backend,
  ml-service,
  web,
  healthcheck,
}:
let
  inherit (pkgs) lib;
  sbom = import ./sbom.nix;

  # Everything that an image is, as data; `parts` are the store's paths that it is made of.
  image =
    name:
    {
      config,
      extraCommands ? "",
      contents ? [ ],
      ...
    }:
    pkgs.dockerTools.buildLayeredImage {
      name = "shopmicro-${name}";
      tag = "latest";
      inherit contents extraCommands;
      config = {
        User = "65532:65532";
        Labels = {
          "org.opencontainers.image.title" = "shopmicro-${name}";
          "org.opencontainers.image.version" = version;
          "org.opencontainers.image.licenses" = "MIT OR Apache-2.0";
        }
        // lib.optionalAttrs (revision != null) { "org.opencontainers.image.revision" = revision; };
      }
      // config;
    };

  # What the lock says that it is made of, and what of the store lies in it.
  bill =
    name:
    { components, parts, ... }:
    pkgs.runCommand "shopmicro-${name}.cdx.json"
      {
        nativeBuildInputs = [ pkgs.jq ];
        document = builtins.toJSON (sbom.document { inherit name version components; });
        passAsFile = [ "document" ];
      }
      ''
        jq --raw-input --null-input --sort-keys --slurpfile document "$documentPath" \
          --from-file ${./sbom.jq} ${pkgs.closureInfo { rootPaths = parts; }}/store-paths >$out
      '';

  service =
    program: port:
    let
      exe = lib.getExe program;
    in
    {
      budget = 25;
      parts = [ program ];
      components =
        sbom.cargo (lib.importTOML ../Cargo.lock) program.meta.mainProgram
        # The C library, and Rust's own.
        ++ map sbom.inside [
          pkgs.glibc
          pkgs.rustc
        ];
      config = {
        Entrypoint = [ exe ];
        Cmd = [ "serve" ];
        ExposedPorts."${toString port}/tcp" = { };
        Healthcheck.Test = [
          "CMD"
          exe
          "healthcheck"
        ];
      };
    };

  # Of nginx only what config/nginx uses, hence neither OpenSSL nor libxslt; with the patches of nixpkgs, by which files of
  # the store, all of one age, have ETags of their own.
  nginx = (pkgs.nginx.override { modules = [ ]; }).overrideAttrs (_: {
    pname = "nginx-for-shopmicro";
    buildInputs = [
      pkgs.pcre2
      pkgs.zlib
    ];
    configureFlags = [
      "--sbin-path=bin/nginx"
      "--with-pcre-jit"
      "--with-http_gzip_static_module"
      "--with-http_stub_status_module"
      "--without-http_auth_basic_module"
      "--without-http_autoindex_module"
      "--without-http_browser_module"
      "--without-http_empty_gif_module"
      "--without-http_grpc_module"
      "--without-http_memcached_module"
      "--without-http_mirror_module"
      "--without-http_ssi_module"
      "--without-http_userid_module"
    ];
  });

  root = pkgs.runCommand "shopmicro-frontend-root" { } ''
    mkdir -p $out/etc/nginx $out/usr/share/nginx
    cp ${../config/nginx}/*.conf $out/etc/nginx
    ln -s ${web} $out/usr/share/nginx/html
  '';

  all = {
    backend = service backend 3001;
    ml-service = service ml-service 3002;

    frontend = {
      budget = 60;
      contents = [ root ];
      parts = [
        root
        nginx
        healthcheck
      ];
      components = sbom.npm (lib.importJSON ../web/package-lock.json);
      # nginx keeps its pid and what it buffers below its prefix.
      extraCommands = "mkdir -m 1777 tmp";
      config = {
        Entrypoint = [
          "${nginx}/bin/nginx"
          "-p"
          "/tmp"
          "-c"
          "/etc/nginx/nginx.conf"
          "-e"
          "stderr"
          "-g"
          "daemon off; pid nginx.pid;"
        ];
        ExposedPorts."8080/tcp" = { };
        Healthcheck.Test = [
          "CMD"
          (lib.getExe healthcheck)
          "127.0.0.1:8080"
        ];
        # nginx finishes the requests in flight on SIGQUIT, and drops them on SIGTERM.
        StopSignal = "SIGQUIT";
      };
    };
  };

  each = lib.mapAttrs image all;
  bills = lib.mapAttrs bill all;
  entry = name: path: { inherit name path; };
in
{
  inherit each bills;
  # The most that each may weigh, unpacked, in MB.
  budgets = lib.mapAttrs (_: image: image.budget) all;

  # The tarballs, what they are made of, and the script that loads them.
  all = pkgs.linkFarm "shopmicro-images" (
    lib.mapAttrsToList (name: entry "${name}.tar.gz") each
    ++ lib.mapAttrsToList (name: entry "${name}.cdx.json") bills
    ++ [
      (entry "version" (pkgs.writeText "version" version))
      (entry "load" ./load-images)
    ]
  );
}
