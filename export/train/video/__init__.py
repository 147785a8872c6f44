"""Pixel video models, made from clips that the portrait codec draws: data, video VAE, transformer, few-step student."""
