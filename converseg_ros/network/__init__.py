"""ConverSeg-Net: encoders, adapters, decoder, checkpoints, predictor."""
