# The rules of config/rules/recording.yaml with other budgets of memory: { job = MiB; }.
{ text, budgets }:
let
  replace =
    text: job:
    let
      before = "record: service:memory_budget:bytes\n +labels: \\{job: ${job}}\n +expr: ";
      parts = builtins.split "(${before})vector\\([^)]*\\)" text;
    in
    if builtins.length parts == 3 then
      builtins.concatStringsSep "" [
        (builtins.elemAt parts 0)
        (builtins.head (builtins.elemAt parts 1))
        "vector(${toString budgets.${job}} * 2 ^ 20)"
        (builtins.elemAt parts 2)
      ]
    else
      throw "recording.yaml has no budget of memory for ${job}";
in
builtins.foldl' replace text (builtins.attrNames budgets)
