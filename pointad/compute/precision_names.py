"""The precisions by name, for whoever offers them without calculating in them."""

FP32, BF16, FP16 = "fp32", "bf16", "fp16"
PRECISIONS = (FP32, BF16, FP16)
