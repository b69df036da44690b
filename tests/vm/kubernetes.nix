# The three images and the manifests, on a cluster that reaches no registry.
{ pkgs, self }:
let
  machines = import ../machines { inherit pkgs self; };
  inherit (machines) packages;
  manifests = machines.tree [
    ../../config
    ../../k8s
  ];
in
machines.test "kubernetes" {
  minutes = 40;
  nodes = {
    cluster =
      { config, ... }:
      {
        imports = [ (machines.machine 3072) ];
        virtualisation.diskSize = 8192;
        services.k3s = {
          enable = true;
          role = "server";
          nodeIP = config.networking.primaryIPAddress;
          extraFlags = [ "--flannel-iface=eth1" ];
          disable = [
            "metrics-server"
            "servicelb"
            "traefik"
          ];
          images = [
            config.services.k3s.package.airgap-images
            packages.image-backend
            packages.image-frontend
            packages.image-ml-service
          ]
          ++ import ../machines/images.nix { inherit pkgs; };
        };
        # Pods have addresses and interfaces that only k3s knows.
        networking.firewall.enable = false;
      };
    inherit (machines) customer;
  };

  testScript = ''
    start_all()
    kubectl = "k3s kubectl --namespace=shopmicro"

    with subtest("the cluster takes the manifests"):
        cluster.wait_for_unit("k3s")
        cluster.wait_until_succeeds(f"{kubectl} get serviceaccount default --namespace=default", timeout=300)
        # Without what watches it, of which no images are at hand.
        cluster.succeed("cp --recursive --no-preserve=mode ${manifests} /tmp/manifests")
        cluster.succeed("sed --in-place '\\,components/observability,d' /tmp/manifests/k8s/overlays/dev/kustomization.yaml")
        cluster.succeed(f"{kubectl} apply --kustomize=/tmp/manifests/k8s/overlays/dev")
        # Everybody of the suites has one address.
        cluster.succeed(f"{kubectl} set env deployment/backend --containers=backend RATE_LIMIT_AUTH='600 burst 600'")

    with subtest("everything becomes ready, from the images at hand"):
        deployments = ["redis", "backend", "ml-service", "frontend"]
        for workload in ["statefulset/postgres", *(f"deployment/{name}" for name in deployments)]:
            cluster.succeed(f"{kubectl} rollout status {workload} --timeout=600s", timeout=660)

    with subtest("the images' programs run as nobody in particular, on a root that they cannot write to"):
        for program in ["shopmicro-backend serve", "shopmicro-ml-service serve", "nginx: master process"]:
            process = cluster.succeed(f"pgrep --oldest --full '{program}'").strip()
            assert cluster.succeed(f"stat --format=%u /proc/{process}").strip() == "65532", program
            # The fifth field is where it is mounted, the sixth how.
            assert cluster.succeed(f"awk '$5 == \"/\" {{ print $6 }}' /proc/{process}/mountinfo").startswith("ro"), program

    with subtest("the acceptance suite passes from outside of the cluster"):
        customer.wait_until_succeeds(curl("http://cluster:30080/health"), timeout=120)
        print(customer.succeed("SHOP_URL=http://cluster:30080 shopmicro-acceptance", timeout=900))

    with subtest("a pod that dies takes no order with it"):
        ada = Customer(customer, "http://cluster:30080")
        ada.register()
        before = ada.buy("before")
        cluster.succeed(f"{kubectl} delete pod --selector=app.kubernetes.io/name=backend --wait=false")
        cluster.succeed(f"{kubectl} delete pod postgres-0")
        customer.wait_until_succeeds(curl("http://cluster:30080/api/products?in_stock=true"), timeout=300)
        again = customer.wait_until_succeeds(ada.checkout("before"), timeout=300)
        assert json.loads(again)["id"] == before
        assert ada.orders() == [before]
  '';
}
