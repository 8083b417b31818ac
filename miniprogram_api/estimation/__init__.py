"""待遇测算 (estimation): what each layer pays on a person's bills, over HTTP."""
