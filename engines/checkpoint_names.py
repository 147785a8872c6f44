"""Other people's names for the parameters of Wan 2.1, in our (the original) naming. Tables only; nothing is read here."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: diffusers' `WanTransformer3DModel` to the original. In diffusers norm2 and norm3 have changed places.
TRANSFORMER = (
    (r"^condition_embedder\.time_embedder\.linear_1\.", "time_embedding.0."),
    (r"^condition_embedder\.time_embedder\.linear_2\.", "time_embedding.2."),
    (r"^condition_embedder\.text_embedder\.linear_1\.", "text_embedding.0."),
    (r"^condition_embedder\.text_embedder\.linear_2\.", "text_embedding.2."),
    (r"^condition_embedder\.time_proj\.", "time_projection.1."),
    (r"^condition_embedder\.image_embedder\.pos_embed$", "img_emb.emb_pos"),
    (r"^condition_embedder\.image_embedder\.norm1\.", "img_emb.proj.0."),
    (r"^condition_embedder\.image_embedder\.ff\.net\.0\.proj\.", "img_emb.proj.1."),
    (r"^condition_embedder\.image_embedder\.ff\.net\.2\.", "img_emb.proj.3."),
    (r"^condition_embedder\.image_embedder\.norm2\.", "img_emb.proj.4."),
    (r"\.attn1\.", ".self_attn."),
    (r"\.attn2\.", ".cross_attn."),
    (r"\.to_([qkv])\.", r".\1."),
    (r"\.to_out\.0\.", ".o."),
    (r"\.add_k_proj\.", ".k_img."),
    (r"\.add_v_proj\.", ".v_img."),
    (r"\.norm_added_k\.", ".norm_k_img."),
    (r"\.ffn\.net\.0\.proj\.", ".ffn.0."),
    (r"\.ffn\.net\.2\.", ".ffn.2."),
    (r"^(blocks\.\d+)\.norm2\.", r"\1.norm3."),
    (r"^(blocks\.\d+)\.scale_shift_table$", r"\1.modulation"),
    (r"^scale_shift_table$", "head.modulation"),
    (r"^proj_out\.", "head.head."),
)

#: diffusers' `AutoencoderKLWan` to the original `Wan2.1_VAE`.
VAE = (
    (r"^quant_conv\.", "conv1."),
    (r"^post_quant_conv\.", "conv2."),
    (r"^(encoder|decoder)\.conv_in\.", r"\1.conv1."),
    (r"^(encoder|decoder)\.norm_out\.", r"\1.head.0."),
    (r"^(encoder|decoder)\.conv_out\.", r"\1.head.2."),
    (r"\.mid_block\.resnets\.0\.", ".middle.0."),
    (r"\.mid_block\.attentions\.0\.", ".middle.1."),
    (r"\.mid_block\.resnets\.1\.", ".middle.2."),
    (r"^encoder\.down_blocks\.", "encoder.downsamples."),
    (r"\.norm1\.", ".residual.0."),
    (r"\.conv_shortcut\.", ".shortcut."),
    (r"(middle\.[02]|downsamples\.\d+|resnets\.\d+)\.conv1\.", r"\1.residual.2."),
    (r"\.norm2\.", ".residual.3."),
    (r"(middle\.[02]|downsamples\.\d+|resnets\.\d+)\.conv2\.", r"\1.residual.6."),
)

#: Wan's `models_t5_umt5-xxl-enc-bf16.pth` to transformers' `UMT5EncoderModel`.
UMT5 = (
    (r"^token_embedding\.", "shared."),
    (r"^norm\.", "encoder.final_layer_norm."),
    (r"^blocks\.(\d+)\.", r"encoder.block.\1."),
    (r"(block\.\d+)\.norm1\.", r"\1.layer.0.layer_norm."),
    (r"(block\.\d+)\.norm2\.", r"\1.layer.1.layer_norm."),
    (r"\.attn\.", ".layer.0.SelfAttention."),
    (r"\.pos_embedding\.embedding\.", ".layer.0.SelfAttention.relative_attention_bias."),
    (r"\.ffn\.gate\.0\.", ".layer.1.DenseReluDense.wi_0."),
    (r"\.ffn\.fc1\.", ".layer.1.DenseReluDense.wi_1."),
    (r"\.ffn\.fc2\.", ".layer.1.DenseReluDense.wo."),
)

#: The pictures' half of Wan's `models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth` to transformers' `CLIPVisionModel`,
#: where queries, keys and values are apart.
CLIP = (
    (r"^visual\.cls_embedding$", "embeddings.class_embedding"),
    (r"^visual\.pos_embedding$", "embeddings.position_embedding.weight"),
    (r"^visual\.patch_embedding\.", "embeddings.patch_embedding."),
    (r"^visual\.pre_norm\.", "pre_layrnorm."),
    (r"^visual\.post_norm\.", "post_layernorm."),
    (r"^visual\.transformer\.", "encoder.layers."),
    (r"\.norm([12])\.", r".layer_norm\1."),
    (r"\.attn\.to_qkv\.", ".self_attn.to_qkv."),
    (r"\.attn\.proj\.", ".self_attn.out_proj."),
    (r"\.mlp\.0\.", ".mlp.fc1."),
    (r"\.mlp\.2\.", ".mlp.fc2."),
)

#: What a loader or a trainer may have put before every name.
PREFIXES = ("model.diffusion_model.", "diffusion_model.", "transformer.", "module.", "model.", "base_model.model.")

#: In files but in no computation: EchoMimicV3 asks with the text's query.
UNUSED = re.compile(r"\.cross_attn\.q_audio\.(weight|bias)$")


def renamed(name: str, table: Iterable[tuple[str, str]]) -> str:
    """`name` after every rule of the table, in order."""
    for pattern, replacement in table:
        name = re.sub(pattern, replacement, name)
    return name


def vae_name(name: str, resnets_a_block: int = 3) -> str:
    """A name of diffusers' VAE in the original's: there the decoder's blocks and their upsamplers stand in one row."""
    name = renamed(name, VAE)
    if found := re.match(r"^decoder\.up_blocks\.(\d+)\.(resnets|upsamplers)\.(\d+)\.(.*)$", name):
        block, kind, at, rest = found.groups()
        place = int(block) * (resnets_a_block + 1) + (int(at) if kind == "resnets" else resnets_a_block)
        return f"decoder.upsamples.{place}.{rest}"
    return name


def without_prefix(names: Iterable[str]) -> str:
    """The prefix that all names share, of those that are known; "" where there is none."""
    every = list(names)
    return next((prefix for prefix in PREFIXES if every and all(name.startswith(prefix) for name in every)), "")
