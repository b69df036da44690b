# The rules of config/rules/budgets.yaml with other budgets: { memory.job = MiB; disk.job = MiB; }.
{ text, budgets }:
let
  replace =
    resource: text: job:
    let
      before = "record: service:${resource}_budget:bytes\n +labels: \\{job: ${job}}\n +expr: ";
      parts = builtins.split "(${before})vector\\([^)]*\\)" text;
    in
    if builtins.length parts == 3 then
      builtins.concatStringsSep "" [
        (builtins.elemAt parts 0)
        (builtins.head (builtins.elemAt parts 1))
        "vector(${toString budgets.${resource}.${job}} * 2 ^ 20)"
        (builtins.elemAt parts 2)
      ]
    else
      throw "budgets.yaml has no budget of ${resource} for ${job}";
  replaceAll =
    text: resource: builtins.foldl' (replace resource) text (builtins.attrNames budgets.${resource});
in
builtins.foldl' replaceAll text (builtins.attrNames budgets)
