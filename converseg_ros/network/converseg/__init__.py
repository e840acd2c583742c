"""The network of kind `converseg`: ConverSeg-Net, its predictor, and measured answers."""
