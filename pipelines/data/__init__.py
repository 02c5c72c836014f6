"""Where data come from: declared sources, fetched and verified."""
