"""The task `converseg`: ConverSegNet, for example with LoRA, on prompts and masks."""
