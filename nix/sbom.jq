# Adds the paths of the store, one a line of the input, to the document.
def component:
  capture("^/nix/store/[0-9a-z]{32}-(?<name>.+?)(-(?<version>[0-9].*))?$")
  | { type: "library", name: .name } + (if .version then { version: .version } else {} end);

[inputs] as $paths
| $document[0]
| .components += ($paths | sort | map(component + { "bom-ref": ., properties: [{ name: "nix:path", value: . }] }))
