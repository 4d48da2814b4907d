"""Changes on a frozen base: layers, one adapter, the store of all, peft's files."""
