def merged(base: str, adapter: str, strength: float) -> str:
    """A folder with the base and an adapter in one; the adapter's unpacked file comes from the page."""
    import tempfile
    from pathlib import Path

    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path, made = Path(base).expanduser(), tempfile.mkdtemp()
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(path), Path(adapter).expanduser())
    for module in model.modules():
        if hasattr(module, "lora_A"):
            module.scaling["default"] *= strength
    model.merge_and_unload().save_pretrained(made)
    AutoTokenizer.from_pretrained(path).save_pretrained(made)
    return made
