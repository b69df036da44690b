# NixOS as our modules see it: the options that they define, as nixpkgs names and types them, and of nixpkgs' own units
# what ours must get along with.
{ lib, program }:
{ config, ... }:
let
  inherit (lib) mkIf mkOption types;
  inherit (types)
    anything
    atom
    attrsOf
    bool
    int
    lines
    listOf
    nullOr
    package
    path
    port
    setting
    str
    submodule
    ;
  option = type: mkOption { inherit type; };
  default = type: default: mkOption { inherit type default; };
  flag = default bool false;
  texts = default (listOf str) [ ];

  exporter =
    usual: own:
    {
      enable = flag;
      extraFlags = texts;
      listenAddress = default str "0.0.0.0";
      port = default port usual;
    }
    // own;

  confined = settings: { serviceConfig = settings; };
in
{
  options = {
    assertions = default (listOf (submodule {
      options = {
        assertion = option bool;
        message = option str;
      };
    })) [ ];

    boot = {
      initrd.availableKernelModules = texts;
      kernel.sysctl = default (attrsOf anything) { };
      loader = {
        grub.device = default str "";
        systemd-boot.enable = flag;
        efi.canTouchEfiVariables = flag;
      };
    };
    environment = {
      etc = default (attrsOf (submodule {
        options.source = option path;
      })) { };
      systemPackages = default (listOf package) [ ];
    };
    # What `system.build.images` adds for each of them.
    image.modules = default (attrsOf anything) { };
    fileSystems = default (attrsOf (submodule {
      options = {
        device = option str;
        fsType = option str;
      };
    })) { };
    networking = {
      hostName = default str "nixos";
      firewall = {
        enable = default bool true;
        allowedTCPPorts = default (listOf port) [ ];
      };
      # Of the tests' machines.
      primaryIPAddress = default str "";
    };
    nixpkgs.hostPlatform = option str;

    services = {
      alloy = {
        enable = flag;
        package = default package (program "alloy");
        configPath = default path "/etc/alloy";
        extraFlags = texts;
      };
      getty = {
        autologinUser = default (nullOr str) null;
        helpLine = default lines "";
      };
      grafana = {
        enable = flag;
        dataDir = default path "/var/lib/grafana";
        settings = default (attrsOf (attrsOf atom)) { };
      };
      k3s = {
        enable = flag;
        package = default package (
          program "k3s"
          // {
            airgap-images = program "airgap-images";
          }
        );
        disable = texts;
        extraFlags = texts;
        images = default (listOf package) [ ];
        nodeIP = default (nullOr str) null;
        role = default str "server";
      };
      loki = {
        enable = flag;
        package = default package (program "loki");
        configFile = default (nullOr path) null;
        dataDir = default path "/var/lib/loki";
        extraFlags = texts;
      };
      mimir = {
        enable = flag;
        package = default package (program "mimir" // { version = "3.0.6"; });
        configFile = default (nullOr path) null;
        extraFlags = texts;
      };
      postgresql = {
        enable = flag;
        package = default package (program "postgresql");
        enableTCPIP = flag;
        authentication = default lines "";
        settings = {
          include = default str "";
          port = default port 5432;
          shared_buffers = default str "128MB";
        };
      };
      prometheus = {
        enable = flag;
        configText = default (nullOr lines) null;
        enableAgentMode = flag;
        exporters = {
          nginx = exporter 9113 { scrapeUri = default str "http://localhost/nginx_status"; };
          postgres = exporter 9187 { dataSourceName = default str ""; };
          redis = exporter 9121 { };
        };
        extraFlags = texts;
        listenAddress = default str "0.0.0.0";
        port = default port 9090;
      };
      redis.servers = default (attrsOf (submodule {
        options = {
          enable = flag;
          bind = default (nullOr str) "127.0.0.1";
          extraParams = texts;
          port = default port 0;
          requirePassFile = default (nullOr path) null;
        };
      })) { };
      tempo = {
        enable = flag;
        configFile = default (nullOr path) null;
        extraFlags = texts;
      };
    };

    system = {
      checks = default (listOf package) [ ];
      stateVersion = default str "26.05";
    };

    systemd = {
      package = default package (program "systemd");
      services = default (attrsOf (submodule {
        options = {
          description = default str "";
          after = texts;
          environment = default (attrsOf atom) { };
          requires = texts;
          wants = texts;
          script = default lines "";
          serviceConfig = default (attrsOf setting) { };
          startAt = default (types.either str (listOf str)) [ ];
          startLimitIntervalSec = default int 10;
          unitConfig = default (attrsOf setting) { };
          wantedBy = texts;
        };
      })) { };
      timers = default (attrsOf (submodule {
        options.timerConfig = default (attrsOf setting) { };
      })) { };
      tmpfiles.settings = default (attrsOf (
        attrsOf (
          attrsOf (submodule {
            options = {
              mode = option str;
              user = option str;
              group = option str;
            };
          })
        )
      )) { };
    };

    users = {
      groups = default (attrsOf (submodule {
        options = { };
      })) { };
      users = default (attrsOf (submodule {
        options = {
          isSystemUser = flag;
          group = option str;
        };
      })) { };
    };

    # Of a machine in QEMU: of the appliance's own, and of the tests'.
    virtualisation = {
      cores = default int 1;
      diskSize = default int 1024;
      memorySize = default int 1024;
      vmVariant = default (attrsOf anything) { };
    };
  };

  config.systemd.services = lib.mkMerge [
    (mkIf config.services.loki.enable {
      loki = confined {
        DevicePolicy = "closed";
        ProtectSystem = "full";
        User = "loki";
      };
    })
    (mkIf config.services.mimir.enable {
      mimir = confined {
        DynamicUser = true;
        ProtectSystem = "full";
      };
    })
    (mkIf config.services.tempo.enable {
      tempo = confined {
        DynamicUser = true;
        ProtectSystem = "full";
      };
    })
    (mkIf config.services.alloy.enable {
      alloy = confined {
        DynamicUser = true;
        RestartSec = 2;
        SupplementaryGroups = [ "systemd-journal" ];
      };
    })
    (mkIf config.services.grafana.enable {
      grafana = confined {
        CapabilityBoundingSet = [ "" ];
        ProtectSystem = "full";
        UMask = "0027";
        User = "grafana";
      };
    })
    (mkIf config.services.prometheus.enable {
      prometheus = confined {
        CapabilityBoundingSet = [ "" ];
        DevicePolicy = "strict";
        ProtectSystem = "full";
        User = "prometheus";
      };
    })
    (mkIf config.services.prometheus.exporters.redis.enable {
      prometheus-redis-exporter = confined {
        CapabilityBoundingSet = lib.mkDefault [ "" ];
        ExecStart = "redis_exporter";
        ProtectSystem = lib.mkDefault "strict";
      };
    })
  ];
}
