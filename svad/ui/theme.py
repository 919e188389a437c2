"""Colours, radii and fonts; only fonts the visitor's system has, so nothing is fetched."""

from __future__ import annotations

from gradio.themes import Base, Color, sizes

TEAL = Color(
    "#effaf8", "#d5f2ec", "#aee4da", "#7dcfc3", "#4bb3a7", "#2f978c",
    "#1d7a71", "#155f59", "#124b47", "#103e3b", "#062523",
)  # fmt: skip
STONE = Color(
    "#faf9f7", "#f3f1ed", "#e6e3dd", "#d3cfc7", "#a5a098", "#77726a",
    "#57534c", "#423f39", "#2a2824", "#1d1b18", "#131210",
)  # fmt: skip
SYSTEM = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")


def make_theme() -> Base:
    """The page's theme: warm greys, one accent."""
    return Base(
        primary_hue=TEAL,
        secondary_hue=TEAL,
        neutral_hue=STONE,
        radius_size=sizes.radius_lg,
        font=SYSTEM,
        font_mono=("ui-monospace", "monospace"),
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_width="0px",
        block_shadow="none",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_700",
        button_primary_text_color="white",
    )
